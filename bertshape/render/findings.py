"""Findings as lines: the severity, what is wrong, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.phrases import sorted_findings
from bertshape.render.tables import labelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from bertshape.report.finding import Finding

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
    return [labelled("", Text(visible(hint), style="dim"), indent=indent)] if hint else []
