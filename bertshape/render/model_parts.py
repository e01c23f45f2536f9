"""What lies on and inside the model: task heads, the tree of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.inspect import NARROW, WIDE, evidence_text, sizes_text
from bertshape.render.phrases import in_words
from bertshape.render.sentence_chain import add_reason, add_shape, shape_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from bertshape.report.layer import Layer
    from bertshape.report.report import Report, TaskFacts

_SHOWN_LABELS = 4
_NAME_COLUMNS = 26
"""What the longest name of a task takes."""
_HEADS_STYLE = {"stored": "green", "random": "red", "partly_random": "red"}


def render_tasks(report: Report, columns: int) -> RenderableType:
    """Each task head with the shapes of what it gives, and whether the checkpoint holds it."""
    table = shape_table(columns, "task", "sizes", "axes", "output", "evidence", "head")
    for name, task in report.tasks.items():
        if task.reason is not None:
            add_reason(table, columns, name, task.reason, cells=6)
            continue
        for number, (output, facts) in enumerate(task.outputs.items()):
            label, head = (name, _head(task)) if number == 0 else ("", Text())
            about = f"{output}{_labels(task)}"
            if columns >= WIDE:
                add_shape(table, columns, label, facts.shape, about, evidence_text(facts.evidence), head)
            else:
                marks = (evidence_text(facts.evidence).append("  "), head)
                add_shape(table, columns, label, facts.shape, about, *marks, names=_NAME_COLUMNS)
    return Group(Text("Task heads", style="bold"), table)


def render_layers(layers: Layer, columns: int, *, unicode: bool = True) -> RenderableType:
    """The tree of the model's parts: shapes, classes and numbers of parameters; equal layers are one node.

    Args:
        layers: The tree.
        columns: Width of the terminal.
        unicode: Draw the tree with box characters.
    """
    title = Text("Layers", style="bold")
    title.append("  ").append_text(evidence_text(layers.evidence))
    wide = columns >= WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2 if columns >= NARROW else 1, 0, 0), header_style="dim")
    headers = ("part", "sizes", "axes", "class", "parameters") if wide else ("part", "sizes", "parameters")
    for header in headers:
        right = header == "parameters"
        table.add_column(header, justify="right" if right else "left", overflow="fold", no_wrap=header == "sizes")
    for guide, layer in walk_layers(layers, "", "", unicode=unicode):
        table.add_row(*_cells(guide, layer, wide=wide))
    return Group(title, table)


def _cells(guide: str, layer: Layer, *, wide: bool) -> tuple[Text, ...]:
    shown = f"{layer.copies} x " if layer.copies > 1 else ""
    name = Text.assemble((guide, "dim"), f"{shown}{visible(layer.name)}")
    if layer.kind and layer.kind != layer.name and not wide and (layer.copies > 1 or layer.calls > 1):
        name.append(f" {visible(layer.kind)}", style="dim")
    if layer.calls > 1:
        name.append(f", called {layer.calls} times", style="dim")
    sizes, axes = Text("-", style="dim"), Text("-", style="dim")
    if layer.shape is not None:
        sizes, axes = sizes_text(layer.shape), Text(layer.shape.by_name)
        if layer.heads is not None:
            count, size = layer.heads
            sizes.append(f" = {count} x {size}")
            axes = Text(" x ".join([*layer.shape.axes[:-1], "(heads x head size)"]))
    parameters = Text("" if layer.parameters is None else f"{layer.parameters:,}")
    if layer.copies > 1 and layer.parameters is not None:
        parameters = Text(f"{layer.copies} x {layer.parameters:,}")
    if not wide:
        return name, sizes, parameters
    return name, sizes, axes, Text(visible(layer.kind or "-"), style="dim"), parameters


def walk_layers(layer: Layer, guide: str, below: str, *, unicode: bool) -> Iterator[tuple[str, Layer]]:
    """Every node with the lines that lead to it."""
    yield guide, layer
    branch, corner, trunk = ("├─ ", "└─ ", "│  ") if unicode else ("|- ", "`- ", "|  ")
    for number, child in enumerate(layer.children, start=1):
        last = number == len(layer.children)
        yield from walk_layers(
            child, below + (corner if last else branch), below + ("   " if last else trunk), unicode=unicode
        )


def _head(task: TaskFacts) -> Text:
    if task.head is None:
        return Text("head not known", style="dim")
    return Text(f"head {in_words(task.head)}", style=_HEADS_STYLE[task.head])


def _labels(task: TaskFacts) -> str:
    labels: Sequence[str] = task.labels
    if not labels:
        return ""
    shown = ", ".join(visible(label) for label in labels[:_SHOWN_LABELS])
    return f" of {len(labels)} labels: {shown}{', ...' if len(labels) > _SHOWN_LABELS else ''}"
