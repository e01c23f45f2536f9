"""From names to strategies, and from a strategy to the shape it will give."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pooling.functions import concatenate
from bertshape.pooling.inputs import PoolingInputs, Strategy
from bertshape.pooling.table import NUM_WORDS, STRATEGIES
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True)
class PoolingFacts:
    """What the shape of a pooled vector depends on."""

    batch_size: int
    sequence_length: int
    num_words: int
    hidden_size: int
    num_hidden_layers: int
    has_pooler: bool
    dtype: str
    has_last_hidden_state: bool = True
    family_known: bool = True


@dataclass(frozen=True)
class Unavailable:
    """Why a strategy gives nothing here."""

    reason: str


def predict_shape(strategy: Strategy, facts: PoolingFacts) -> TensorShape | Unavailable:
    """Shape of the strategy's result, or why there is none."""
    parts = strategy.name.split("+")
    if not facts.has_last_hidden_state and parts != ["pooler"]:
        return Unavailable("the model gives no last_hidden_state")
    if "pooler" in parts and not facts.has_pooler:
        return Unavailable("the model has no pooler" if facts.family_known else "the model's family is not known")
    if facts.num_hidden_layers < strategy.layers_needed:
        return Unavailable(f"needs {strategy.layers_needed} layers, the model has {facts.num_hidden_layers}")
    sizes = {BATCH_SIZE: facts.batch_size, SEQUENCE_LENGTH: facts.sequence_length, NUM_WORDS: facts.num_words}
    hidden_size = strategy.factor * facts.hidden_size
    return TensorShape(strategy.axes, tuple(sizes.get(axis, hidden_size) for axis in strategy.axes), facts.dtype)


def select(names: Sequence[str]) -> tuple[Strategy, ...]:
    """Strategies by name; all of them for no name.

    Args:
        names: Names, or combinations such as `cls+mean+max`.

    Raises:
        UsageError: A name is unknown, or a combination makes no sense.
    """
    return tuple({name: _find(name) for name in names or STRATEGIES}.values())


def _find(name: str) -> Strategy:
    if "+" in name:
        return _combine(name)
    if name in STRATEGIES:
        return STRATEGIES[name]
    near = difflib.get_close_matches(name.lower(), STRATEGIES, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See bertshape poolings for all of them."
    raise UsageError(f"there is no pooling strategy {name!r}", hint=hint, code="unknown-pooling")


def _combine(name: str) -> Strategy:
    parts = [_find(part) for part in name.split("+")]
    whole = next((part for part in parts if part.axes[0] != BATCH_SIZE or len(part.axes) != 2), None)
    if whole is not None:
        raise UsageError(
            f"{name}: {whole.name} gives several vectors a text and cannot be joined to others",
            hint="Combine strategies that give one vector, such as cls+mean+max.",
            code="pooling-not-combinable",
        )

    def function(inputs: PoolingInputs) -> Tensor:
        return concatenate([part.function(inputs) for part in parts])

    factor = sum(part.factor for part in parts)
    return Strategy(
        name=name,
        formula=f"[{', '.join(part.name for part in parts)}]",
        summary="each as listed, joined",
        source="concatenation, as sentence-transformers joins modes",
        axes=(BATCH_SIZE, f"{factor}*{HIDDEN_SIZE}"),
        factor=factor,
        layers_needed=max(part.layers_needed for part in parts),
        function=function,
    )
