"""The tree of a model's parts: shapes, classes and numbers of parameters; equal layers are one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.inspect import evidence_text, sizes_text
from bertshape.render.tables import UNICODE, Column, Grid, Section, Signs, title
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.report.layer import Layer

_COLUMNS = (
    Column("part", folds=24),
    Column("shape"),
    Column("heads", drop=1),
    Column("class", drop=2),
    Column("parameters", right=True),
)


def layer_section(layers: Layer, *, signs: Signs = UNICODE) -> Section:
    """The tree, one row for each part."""
    rows = [_cells(guide, layer, signs) for guide, layer in walk_layers(layers, "", "", unicode=signs.unicode)]
    return Section(title("Layers", evidence_text(layers.evidence)), Grid(_COLUMNS, rows))


def walk_layers(layer: Layer, guide: str, below: str, *, unicode: bool) -> Iterator[tuple[str, Layer]]:
    """Every node with the lines that lead to it."""
    yield guide, layer
    branch, corner, trunk = ("├─ ", "└─ ", "│  ") if unicode else ("|- ", "`- ", "|  ")
    for number, child in enumerate(layer.children, start=1):
        last = number == len(layer.children)
        yield from walk_layers(
            child, below + (corner if last else branch), below + ("   " if last else trunk), unicode=unicode
        )


def _cells(guide: str, layer: Layer, signs: Signs) -> tuple[Text, ...]:
    name = Text.assemble((guide, "dim"), visible(layer.name))
    if layer.copies > 1:
        name.append(f" ({layer.copies} times)", style="dim")
    if layer.calls > 1:
        name.append(f", called {layer.calls} times", style="dim")
    if layer.idle:
        name.append(", not called", style="dim")
    heads = Text() if layer.heads is None else Text(f"{counted(layer.heads[0], 'head')} of {layer.heads[1]}")
    parameters = "" if layer.parameters is None else f"{layer.parameters:,}"
    if layer.copies > 1 and layer.parameters is not None:
        parameters = f"{layer.copies} x {layer.parameters:,}"
    return (
        name,
        Text(signs.dash, style="dim") if layer.shape is None else sizes_text(layer.shape),
        heads,
        Text(visible(layer.kind) if layer.kind and layer.kind != layer.name else "", style="dim"),
        Text(parameters),
    )
