"""Results of the Python API as a page, and as the screen of their command in a console of any width."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from bertshape.pipelines.diff import Comparison
from bertshape.render import tables
from bertshape.render.check import render_checks
from bertshape.render.diff import render_comparison
from bertshape.render.embed import render_embed
from bertshape.render.escape import visible
from bertshape.render.layout import Page
from bertshape.render.memory import memory_rows, render_memory
from bertshape.render.page.pages import fragment
from bertshape.render.profile import render_profile
from bertshape.report.check import CheckReport
from bertshape.report.embed import EmbedReport
from bertshape.report.memory import MemoryReport
from bertshape.report.profile import ProfileReport
from bertshape.report.report import Report

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from bertshape.render.tables import Signs

__all__ = ["Screen", "fragment"]


@dataclass(frozen=True)
class Screen:
    """A result, drawn when the console that shows it is known."""

    result: object

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as the console."""
        yield _draw(self.result, options.max_width, tables.signs_of(console))


def _draw(result: object, columns: int, signs: Signs) -> RenderableType:
    unicode = signs is tables.UNICODE
    if isinstance(result, Report):
        return Page(columns, unicode=unicode).whole(result)
    if isinstance(result, CheckReport):
        return render_checks([result], columns, signs=signs)
    if isinstance(result, Comparison):
        return render_comparison(result, columns, signs)
    if isinstance(result, ProfileReport):
        return render_profile(result, columns, unicode=unicode)
    if isinstance(result, EmbedReport):
        return render_embed(result, columns, signs)
    if isinstance(result, MemoryReport):
        return render_memory(result, columns, signs)
    raise TypeError(f"there is no screen of {type(result).__name__}")


@fragment.register
def _(result: EmbedReport) -> str:
    """What was written has no page: a table of its arrays."""
    rows = [(name, shape.by_size, shape.by_name, shape.dtype) for name, shape in result.saved.items()]
    rows += [(found.severity, found.message, found.hint, "") for found in result.findings]
    body = "".join(f"<tr>{''.join(f'<td>{escape(visible(cell))}</td>' for cell in row)}</tr>" for row in rows)
    head = "<tr><th>array</th><th>shape</th><th>axes</th><th>dtype</th></tr>"
    return f"<table><caption>{escape(visible(result.brief()))}</caption>{head}{body}</table>"


@fragment.register
def _(result: MemoryReport) -> str:
    """The table for programs: a row for each number of bytes."""
    head, *rows = memory_rows(result)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    names = "".join(f"<th>{name}</th>" for name in head)
    return f"<table><caption>{escape(visible(result.brief()))}</caption><tr>{names}</tr>{body}</table>"
