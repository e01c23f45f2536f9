"""Findings as lines: the severity, what is wrong, what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.phrases import sorted_findings
from bertshape.render.tables import LABEL, labelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from bertshape.report.finding import Finding

_COMMAND = re.compile(
    r"""((?:cd .+? && )?python -c (?:'[^']*'|"'")+|(?:pip|hf|git|bertshape|python -m) .+?(?=; |\. |, or |\.?$))"""
)
"""Command lines in hints: Python that repairs a folder, and others to the end of the clause."""
SEVERITY_STYLE = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def finding_lines(findings: Iterable[Finding], *, indent: int = 0) -> list[RenderableType]:
    """The findings, the gravest last; nothing where there are none.

    Args:
        findings: What to show.
        indent: Columns before each line.
    """
    lines: list[RenderableType] = []
    for finding in sorted_findings(findings):
        style = SEVERITY_STYLE[finding.severity]
        lines.append(labelled(finding.severity, visible(finding.message), style=style, indent=indent))
        lines += hint_lines(finding.hint, indent=indent)
    return lines


def hint_lines(hint: str, *, indent: int = 0) -> list[RenderableType]:
    """What to do next, under what it is about."""
    return [_Hint(visible(hint), indent)] if hint else []


@dataclass(frozen=True)
class _Hint:
    """A hint; where it takes several lines, a command in it has its own, which the terminal wraps: it can be copied."""

    hint: str
    indent: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - LABEL - self.indent - 1
        # A picture has no lines longer than it is wide.
        parts = [self.hint] if cell_len(self.hint) <= room or console.record else _COMMAND.split(self.hint)
        for part in filter(None, (part.lstrip(".,; ").rstrip() for part in parts)):
            text = Text(part, style="dim")
            if _COMMAND.fullmatch(part):
                line = Text(" " * (LABEL + self.indent + 1), no_wrap=True, overflow="ignore")
                yield line.append_text(text)
            else:
                yield labelled("", text, indent=self.indent)
