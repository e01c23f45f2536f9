"""A report as a terminal of a given size shows it once the command is over, and the prompt is back."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyte
from rich.console import Console

from bertshape.render.layout import Page

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.report import Report


@dataclass(frozen=True)
class Screen:
    """What a person sees.

    Attributes:
        lines: All lines that were printed, those scrolled away included.
        seen: Lines that are in sight above the prompt.
    """

    lines: list[str]
    seen: list[str]

    def row(self, name: str) -> str:
        """The one line that holds a cell of this name: two blanks or an edge on both sides."""
        cell = re.compile(rf"(^|  |★ ){re.escape(name)}(  |$)")
        (line,) = (line for line in self.lines if cell.search(line))
        return line


def show(renderable: RenderableType, columns: int, lines: int = 40) -> Screen:
    """Print on a terminal."""
    console = Console(
        file=io.StringIO(), width=columns, height=lines, force_terminal=True, color_system="standard",
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    terminal = pyte.HistoryScreen(columns, lines, history=10_000)
    pyte.Stream(terminal).feed(console.file.getvalue().replace("\n", "\r\n"))
    above = ["".join(line[column].data for column in range(columns)).rstrip() for line in terminal.history.top]
    seen = [line.rstrip() for line in terminal.display]
    printed = above + seen
    while printed and not printed[-1]:
        printed.pop()
    return Screen(printed, seen)


def show_report(report: Report, columns: int, lines: int = 40, **layout: bool) -> Screen:
    """Print a report on a terminal; `layout` are fields of `Page`."""
    return show(Page(columns, **layout).whole(report), columns, lines)
