"""The chain to the sentence embedding for people, and the rows that tables of shapes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.inspect import NARROW, WIDE, evidence_text, sizes_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.report import Report
    from bertshape.shapes import TensorShape

_NAME_COLUMNS = 13
"""What the longest name of a step takes."""


def render_embedding(report: Report, columns: int) -> RenderableType:
    """Each step from tokens to the sentence embedding."""
    title = Text("Sentence embedding", style="bold")
    title.append("  as sentence-transformers computes it", style="not bold")
    table = shape_table(columns, "step", "sizes", "axes", "formula", "evidence")
    for step in report.embedding:
        name = visible(step.name)
        if step.shape is None:
            add_reason(table, columns, name, step.reason or "", cells=5)
        else:
            add_shape(table, columns, name, step.shape, visible(step.formula), evidence_text(step.evidence))
    return Group(title, table)


def shape_table(columns: int, *headers: str) -> Table:
    """A table of all columns where there is room, else of names and a cell of lines."""
    wide = columns >= WIDE
    table = Table(box=None, show_header=wide, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for index, header in enumerate(headers if wide else headers[:2]):
        table.add_column(header, overflow="fold", no_wrap=wide and index < 2)
    return table


def add_shape(
    table: Table, columns: int, name: str, shape: TensorShape, about: str, *marks: Text, names: int = _NAME_COLUMNS
) -> None:
    """A row of a shape; marks, such as its evidence, stand in columns of their own or under the name.

    Args:
        table: The table.
        columns: Width of the terminal.
        name: First cell.
        shape: The shape.
        about: What it is.
        marks: More cells.
        names: What the longest name takes of the width.
    """
    if columns >= WIDE:
        table.add_row(Text(name), sizes_text(shape), Text(shape.by_name), Text(about), *marks)
        return
    label = Text(name)
    if marks:
        label.append("\n  ").append_text(Text().join(marks))
    room = columns - names
    between = "  " if columns >= NARROW and len(shape.by_size) + len(shape.by_name) + 2 <= room else "\n"
    table.add_row(label, Text.assemble(sizes_text(shape), between, shape.by_name, "\n", (about, "dim")))


def add_reason(table: Table, columns: int, name: str, reason: str, *, cells: int) -> None:
    """A row that says why there is no shape."""
    text = Text(f"unavailable: {visible(reason)}", style="dim")
    blanks = [""] * (cells - 4) if columns >= WIDE else []
    table.add_row(Text(name, style="dim"), *(["-", text, "-"] if columns >= WIDE else [text]), *blanks)
