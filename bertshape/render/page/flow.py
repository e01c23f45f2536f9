"""The flow of shapes, from texts to pooled vectors and heads: each tensor a box at the end of an arrow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.render.page.boxes import THIN, Box, box_of, down
from bertshape.render.phrases import in_words
from bertshape.render.reads import shown_text
from bertshape.shapes import SEQUENCE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.report.report import PooledFacts, Report, StepFacts
    from bertshape.shapes import TensorShape

_TOKENS, _IDS, _MASK = 78.0, 46.0, 15.0
"""Widths of boxes whose bands hold tokens, ids, and ones or zeros."""
_LABEL = 10
"""Most characters of a token in a box."""
_SHOWN_CLASSES = 6


@dataclass(frozen=True)
class Axis:
    """One axis as an arrow names it; `gone` where the operation removes it."""

    name: str
    size: int
    gone: bool = False


@dataclass(frozen=True)
class Sheet:
    """One of several tensors that stand side by side in a node."""

    name: str
    box: Box


@dataclass(frozen=True)
class Node:
    """A tensor, and the operation whose arrow leads to it.

    Attributes:
        name: Its name.
        kind: What it is, as a class: `text`, `tensor`, `layers`, `pooled` or `gone`.
        operation: What makes it, over the arrow; empty for the first.
        sizes: The shape as torch prints it.
        axes: Its axes, and those that the operation removes.
        sheets: Its boxes: one but for the inputs.
        evidence: Whether a run showed it.
        about: What else there is to say, such as why there is no shape.
        unfold: What a box stands for that is many: names of layers.
    """

    name: str
    kind: str
    operation: str = ""
    sizes: str = ""
    axes: tuple[Axis, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    evidence: str = ""
    about: str = ""
    unfold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flow:
    """Nodes one after the other, then branches that begin at the last of them."""

    trunk: tuple[Node, ...]
    branches: tuple[tuple[Node, ...], ...]


def flow_of(report: Report, colours: Sequence[str]) -> Flow:
    """The flow of a report.

    Args:
        report: The report.
        colours: Class of each position of the text that is shown.
    """
    trunk = [*_before_the_model(report, colours), *_model(report, colours)]
    branches = [tuple(_sentence(report)), *_pooler(report), *_tasks(report)]
    return Flow(tuple(trunk), tuple(branch for branch in branches if branch))


def axes_of(shape: TensorShape, before: TensorShape | None = None) -> tuple[Axis, ...]:
    """The axes of a shape, with those of the tensor before it that are gone, in the order of that one."""
    axes = [Axis(name, size) for name, size in zip(shape.axes, shape.sizes, strict=True)]
    if before is not None:
        gone = zip(before.axes[1:-1], before.sizes[1:-1], strict=True)
        axes[1:1] = [Axis(name, size, gone=True) for name, size in gone if name not in shape.axes]
    return tuple(axes)


def declared_pooling(report: Report) -> tuple[str, PooledFacts] | None:
    """The strategy that the flow shows: the declared one, else `mean`, else the first there is."""
    there = {name: pooled for name, pooled in report.pooled.items() if pooled.shape is not None}
    declared = [name for name, pooled in there.items() if pooled.declared]
    name = next(iter([*declared, *(["mean"] if "mean" in there else []), *there]), None)
    return None if name is None else (name, there[name])


def pooled_node(report: Report, name: str, pooled: PooledFacts) -> Node:
    """The vector of a strategy, with the place of the axis that went."""
    assert pooled.shape is not None
    shape = pooled.shape
    last = report.outputs.get("last_hidden_state")
    ghost = down(report.tokenization.sequence_length) if SEQUENCE_LENGTH not in shape.axes else 0.0
    star = "★ " if pooled.declared else ""
    axes = axes_of(shape, None if last is None else last.shape)
    box = Sheet("", box_of(shape, ghost=ghost))
    return Node("pooled", "pooled", f"{star}{name}", shape.by_size, axes, (box,), pooled.evidence)


def _before_the_model(report: Report, colours: Sequence[str]) -> Iterator[Node]:
    batch = report.tokenization
    row = batch.rows[shown_text(batch.rows)]
    yield Node("text", "text", about=row.text if row.pair is None else f"{row.text} / {row.pair}")
    ids = report.inputs.get("input_ids")
    if ids is None:
        return
    evidence = "observed"  # The tokenizer has run, whether or not the model has.
    strings = [token.token if len(token.token) <= _LABEL else f"{token.token[: _LABEL - 1]}…" for token in row.tokens]
    tokens = Sheet("", box_of(ids, colours, strings, width=_TOKENS))
    yield Node("tokens", "tensor", "tokenizer", ids.by_size, axes_of(ids), (tokens,), evidence)
    values = {
        "input_ids": [str(token.input_id) for token in row.tokens],
        "attention_mask": [str(token.attention_mask) for token in row.tokens],
        "token_type_ids": [str(token.token_type_id) for token in row.tokens],
    }
    sheets = [
        Sheet(name, box_of(shape, colours, values[name], width=_IDS if name == "input_ids" else _MASK))
        for name, shape in report.inputs.items()
        if name in values
    ]
    name = "input_ids" if len(sheets) == 1 else f"input_ids + {len(sheets) - 1}"
    yield Node(name, "tensor", "ids", ids.by_size, axes_of(ids), tuple(sheets), evidence)


def _model(report: Report, colours: Sequence[str]) -> Iterator[Node]:
    states, last = report.outputs.get("hidden_states"), report.outputs.get("last_hidden_state")
    layers = report.checkpoint.dimensions["num_hidden_layers"]
    # Families that change the length between layers have no hidden_states of one shape: no embeddings are drawn.
    even = states is not None and last is not None and states.shape == last.shape and states.count == layers + 1
    if states is not None and even:
        box = Sheet("", box_of(states.shape, colours))
        shape = states.shape
        yield Node("embeddings", "tensor", "look up", shape.by_size, axes_of(shape), (box,), states.evidence)
    if last is not None:
        box = Sheet("", box_of(last.shape, colours))
        names = tuple(f"{label} {last.shape.by_size}" for label in states.labels[1:]) if states and even else ()
        operation = f"{layers} × layer" if layers else "model"
        shape = last.shape
        node = Node("last_hidden_state", "tensor states", operation, shape.by_size, axes_of(shape), (box,))
        yield replace(node, evidence=last.evidence, unfold=names)


def _sentence(report: Report) -> Iterator[Node]:
    """The pooled vector, and the steps of encode() that follow it."""
    shown = declared_pooling(report)
    if shown is not None:
        yield pooled_node(report, *shown)
    names = [step.name for step in report.embedding]
    after = report.embedding[names.index("Pooling") + 1 :] if "Pooling" in names else report.embedding[1:]
    for number, step in enumerate(after, start=1):
        yield _step(step, last=number == len(after))


def _step(step: StepFacts, *, last: bool) -> Node:
    name = "encode()" if last else step.name
    if step.shape is None:
        return Node(name, "gone", step.name, about=f"not available: {step.reason or 'not known'}")
    about = "" if step.formula in ("not known", "") else step.formula
    sheet = Sheet("", box_of(step.shape))
    axes = axes_of(step.shape)
    return Node(name, "tensor step", step.name, step.shape.by_size, axes, (sheet,), step.evidence, about)


def _pooler(report: Report) -> Iterator[tuple[Node, ...]]:
    output = report.outputs.get("pooler_output")
    if output is None:
        return
    last = report.outputs.get("last_hidden_state")
    verdict = report.checkpoint.pooler
    about = f"pooler {verdict}" if verdict and report.checkpoint.weights == "checkpoint" else ""
    shape = output.shape
    axes = axes_of(shape, None if last is None else last.shape)
    sheet = Sheet("", box_of(shape))
    yield (Node("pooler_output", "tensor", "pooler", shape.by_size, axes, (sheet,), output.evidence, about),)


def _tasks(report: Report) -> Iterator[tuple[Node, ...]]:
    for name, task in report.tasks.items():
        for output, facts in list(task.outputs.items())[:_SHOWN_CLASSES]:
            head = "" if task.head is None else f"head {in_words(task.head)}"
            along = facts.shape.axes[-1:] == (SEQUENCE_LENGTH,)
            box = box_of(facts.shape, width=THIN if along else None)
            axes = axes_of(facts.shape)
            sheet = Sheet("", box)
            yield (Node(output, "tensor", name, facts.shape.by_size, axes, (sheet,), facts.evidence, head),)
