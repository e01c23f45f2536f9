"""What `embed` wrote, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.render.escape import human_bytes, visible
from bertshape.render.inspect import NARROW, render_findings, sizes_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.embed import EmbedReport

_WEIGHTS = {"checkpoint": "stored weights", "random": "random weights: the numbers mean nothing"}


def render_embed(report: EmbedReport, columns: int) -> RenderableType:
    """The file, its arrays, and how fast they were made."""
    if not report.written:
        title = Text(f"{visible(report.model)}: its vectors would be wrong, so {visible(report.path)} is not written")
        return Group(title, Text(), render_findings(report.findings))
    positions = report.tokens + report.padding
    speed = f", {report.texts / report.seconds:,.0f} texts a second" if report.seconds > 0 else ""
    table = Table(box=None, pad_edge=False, padding=(0, 2 if columns >= NARROW else 1, 0, 0), header_style="dim")
    for header in ("array", "sizes", "axes", "dtype", "bytes"):
        table.add_column(header, overflow="fold", no_wrap=header == "sizes")
    for name, shape in report.saved.items():
        table.add_row(name, sizes_text(shape), shape.by_name, shape.dtype, human_bytes(shape.bytes))
    return Group(
        Text(visible(report.path), style="bold"),
        Text(f"{visible(report.model)}, {_WEIGHTS.get(report.weights, report.weights)}, on {report.device}"),
        Text(
            f"{report.texts:,} texts, {report.tokens:,} tokens in {report.batches:,} batches, "
            f"{report.padding / positions if positions else 0:.1%} of the positions padding{speed}"
        ),
        Text(),
        table,
        *([Text(), render_findings(report.findings)] if report.findings else []),
    )
