"""The report as a picture, for documents: Rich's own export of what a terminal shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from bertshape.render.escape import visible
from bertshape.render.layout import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.report.report import Report


def render_svg(report: Report, columns: int, layout: Mapping[str, bool]) -> str:
    """The whole report as one picture.

    Args:
        report: The report.
        columns: Its columns.
        layout: What else `Page` takes.
    """
    return draw(report, Page(columns, **layout)).export_svg(title=svg_title(report))


def svg_title(report: Report) -> str:
    """What stands above a picture of the report."""
    return f"bertshape inspect: {visible(report.checkpoint.model)}"


def draw(report: Report, page: Page) -> Console:
    """A console that has recorded the whole report.

    Args:
        report: The report.
        page: How it is laid out.
    """
    # Colours are those of the document, whatever terminal or pipe this process has.
    console = Console(
        file=io.StringIO(),
        width=page.columns,
        record=True,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(page.whole(report))
    # Rich cuts the last line's descenders off.
    console.print()
    return console
