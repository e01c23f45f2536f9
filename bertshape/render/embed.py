"""What `embed` wrote, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.escape import human_bytes, visible
from bertshape.render.findings import finding_lines
from bertshape.render.inspect import sizes_text
from bertshape.render.tables import UNICODE, Column, Grid, Signs
from bertshape.wording import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.embed import EmbedReport, Verified

_COLUMNS = (
    Column("array"),
    Column("shape"),
    Column("axes", folds=24),
    Column("dtype"),
    Column("bytes", right=True),
)
_WEIGHTS = {"checkpoint": "stored weights", "random": "random weights: the numbers mean nothing"}


def render_embed(report: EmbedReport, columns: int, signs: Signs = UNICODE) -> RenderableType:
    """The file, its arrays, and how fast they were made."""
    if not report.written:
        title = Text(f"{visible(report.model)}: its vectors would be wrong, so {visible(report.path)} is not written")
        return Group(title, Text(), *finding_lines(report.findings))
    positions = report.tokens + report.padding
    speed = f", {report.texts / report.seconds:,.0f} texts per second" if report.seconds > 0 else ""
    rows = [
        (Text(name), sizes_text(shape), Text(shape.by_name), Text(shape.dtype), Text(human_bytes(shape.bytes)))
        for name, shape in report.saved.items()
    ]
    findings = finding_lines(report.findings)
    return Group(
        Text(visible(report.path), style="bold"),
        Text(f"{visible(report.model)}, {_WEIGHTS.get(report.weights, report.weights)}, on {report.device}"),
        Text(
            f"{counted(report.texts, 'text')}, {counted(report.tokens, 'token')} in "
            f"{counted(report.batches, 'batch', 'batches')}, "
            f"{report.padding / positions if positions else 0:.1%} of the positions padding{speed}"
        ),
        Text(),
        Grid(_COLUMNS, rows).render(columns, signs),
        *([Text(), _verified(report.verified)] if report.verified is not None else []),
        *([Text(), *findings] if findings else []),
    )


def _verified(verified: Verified) -> Text:
    number = counted(verified.texts, "text")
    if verified.difference is None:
        return Text(f"compared with sentence-transformers on {number}: no answer to compare with", style="bold red")
    shown = f"compared with sentence-transformers on {number}: largest difference {verified.difference:.2g}"
    return Text(shown, style="" if verified.passed else "bold red")
