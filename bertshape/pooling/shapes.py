"""From names to strategies, and from a strategy to the shape it will give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.pooling.combine import read
from bertshape.pooling.strategies import NUM_WORDS, STRATEGIES
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH, TensorShape
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.pooling.strategy import Strategy


@dataclass(frozen=True)
class PoolingFacts:
    """What the shape of a pooled vector depends on.

    Attributes:
        batch_size: Number of texts.
        sequence_length: Positions of each.
        num_words: Largest number of words in one text.
        hidden_size: Size of a token's vector.
        num_hidden_layers: Layers; there is one more of hidden_states.
        has_pooler: Whether the model gives a pooler_output.
        dtype: Of the outputs.
        dtype_of_layers: Of what is made of hidden_states.
        has_last_hidden_state: Whether the model gives one vector per token.
        family_known: Whether it is known if there is a pooler.
        even_hidden_states: Whether hidden_states are num_hidden_layers + 1 tensors of one shape.
    """

    batch_size: int
    sequence_length: int
    num_words: int
    hidden_size: int
    num_hidden_layers: int
    has_pooler: bool
    dtype: str
    dtype_of_layers: str
    has_last_hidden_state: bool = True
    family_known: bool = True
    even_hidden_states: bool = True


@dataclass(frozen=True)
class Unavailable:
    """Why a strategy gives nothing here."""

    reason: str


def predict_shape(strategy: Strategy, facts: PoolingFacts) -> TensorShape | Unavailable:
    """Shape of the strategy's result, or why there is none."""
    num_hidden_layers = facts.num_hidden_layers
    parts = strategy.name.split("+")
    if not facts.has_last_hidden_state and parts != ["pooler"]:
        return Unavailable("the model gives no last_hidden_state")
    if "pooler" in parts and not facts.has_pooler:
        return Unavailable("the model has no pooler" if facts.family_known else "the model's family is not known")
    if strategy.needs_hidden_states and not facts.even_hidden_states:
        return Unavailable("the layers' shapes are only known by running")
    if num_hidden_layers < strategy.layers_needed:
        return Unavailable(f"needs {counted(strategy.layers_needed, 'layer')}, the model has {num_hidden_layers}")
    for layers in strategy.layers:
        if (missing := layers.missing(num_hidden_layers)) is not None:
            return Unavailable(missing)
    factor = strategy.factor + strategy.factor_per_layer * num_hidden_layers
    axes = (*strategy.axes[:-1], HIDDEN_SIZE if factor == 1 else f"{factor}*{HIDDEN_SIZE}")
    sizes = {BATCH_SIZE: facts.batch_size, SEQUENCE_LENGTH: facts.sequence_length, NUM_WORDS: facts.num_words}
    dtype = facts.dtype_of_layers if strategy.needs_hidden_states or strategy.layers else facts.dtype
    return TensorShape(axes, tuple(sizes.get(axis, factor * facts.hidden_size) for axis in axes), dtype)


def select(names: Sequence[str]) -> tuple[Strategy, ...]:
    """Strategies as they are written; all of the table for none.

    Args:
        names: Names, alone or with layers (`mean@-2`, `mean@-4:concat`), or combinations such as `cls+mean+max`.

    Raises:
        UsageError: A name is unknown, the grammar is not kept, or a combination makes no sense.
    """
    return tuple({name: _named(name) for name in names or STRATEGIES}.values())


def _named(name: str) -> Strategy:
    if name in STRATEGIES:
        return STRATEGIES[name]
    return read(name)
