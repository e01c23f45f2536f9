"""From what is written to strategies, and from a strategy to the shape it will give."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pooling.functions import concatenate
from bertshape.pooling.grammar import Term, parse, refuse
from bertshape.pooling.inputs import PoolingInputs, Strategy
from bertshape.pooling.layers import written
from bertshape.pooling.table import NUM_WORDS, STRATEGIES
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from bertshape.pooling.layers import Layers

_JOINED_FORMULA = 40
_SAME = {
    "second_to_last": "mean@-2",
    "last4_mean": "mean@-4:",
    "last4_sum": "mean@-4:sum",
    "last4_concat": "mean@-4:concat",
}
"""Strategies with layers of their own, as the grammar writes them."""


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
        has_last_hidden_state: Whether the model gives a vector a token.
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
        return Unavailable(f"needs {strategy.layers_needed} layers, the model has {num_hidden_layers}")
    for layers in strategy.layers:
        if (missing := layers.missing(num_hidden_layers)) is not None:
            return Unavailable(missing)
    factor = strategy.factor + strategy.factor_per_layer * num_hidden_layers
    axes = (*strategy.axes[:-1], _last_axis(factor))
    sizes = {BATCH_SIZE: facts.batch_size, SEQUENCE_LENGTH: facts.sequence_length, NUM_WORDS: facts.num_words}
    return TensorShape(axes, tuple(sizes.get(axis, factor * facts.hidden_size) for axis in axes), facts.dtype)


def select(names: Sequence[str]) -> tuple[Strategy, ...]:
    """Strategies as they are written; all of the table for none.

    Args:
        names: Names, alone or with layers (`mean@-2`, `mean@-4:concat`), or combinations such as `cls+mean+max`.

    Raises:
        UsageError: A name is unknown, the grammar is not kept, or a combination makes no sense.
    """
    return tuple({name: _read(name) for name in names or STRATEGIES}.values())


def _read(text: str) -> Strategy:
    terms = parse(text)
    parts = [_find(text, term) for term in terms]
    # Under the name that it was asked for: `mean@-4::concat` stays so.
    return _combine(text, parts) if len(parts) > 1 else replace(parts[0], name=text)


def _find(text: str, term: Term) -> Strategy:
    name = term.name
    if name in STRATEGIES:
        return STRATEGIES[name] if term.layers is None else _on_layers(text, STRATEGIES[name], term.layers)
    near = difflib.get_close_matches(name.lower(), STRATEGIES, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See bertshape poolings for all of them."
    raise UsageError(f"there is no pooling strategy {name!r}", hint=hint, code="unknown-pooling")


def _on_layers(text: str, strategy: Strategy, layers: Layers) -> Strategy:
    """A strategy of the table, computed on other layers than the last."""
    if strategy.name == "pooler":
        refuse(
            text, "asks for layers of pooler, which is computed from the last layer alone", "Write pooler or cls@-2."
        )
    if strategy.layers_needed:
        same = _SAME.get(strategy.name)
        hint = (
            f"Write {strategy.name}, which is {same}, or mean with other layers."
            if same
            else "Choose layers of another one, such as mean@1:3."
        )
        refuse(text, f"asks for layers of {strategy.name}, which has its own", hint)

    def function(inputs: PoolingInputs) -> Tensor:
        return layers.apply(strategy.function, inputs)

    times, times_per_layer = layers.count if layers.join == "concat" else (1, 0)
    factor, factor_per_layer = strategy.factor * times, strategy.factor * times_per_layer
    return replace(
        strategy,
        name=str(Term(strategy.name, layers)),
        formula=layers.formula(strategy.name),
        axes=(*strategy.axes[:-1], _last_axis(factor, factor_per_layer)),
        factor=factor,
        factor_per_layer=factor_per_layer,
        layers=(layers,),
        function=function,
    )


def _combine(text: str, parts: Sequence[Strategy]) -> Strategy:
    """Vectors of several strategies, one after the other."""
    whole = next((part for part in parts if len(part.axes) != 2), None)
    if whole is not None:
        raise UsageError(
            f"{text}: {whole.name} gives several vectors a text and cannot be joined to others",
            hint="Combine strategies that give one vector, such as cls+mean+max.",
            code="pooling-not-combinable",
        )

    def function(inputs: PoolingInputs) -> Tensor:
        return concatenate([part.function(inputs) for part in parts])

    formula = f"[{', '.join(part.formula if part.layers else part.name for part in parts)}]"
    factor, factor_per_layer = sum(part.factor for part in parts), sum(part.factor_per_layer for part in parts)
    return Strategy(
        name=text,
        formula=formula if len(formula) <= _JOINED_FORMULA else f"[{', '.join(part.name for part in parts)}]",
        summary="each as listed, joined",
        source="concatenation, as sentence-transformers joins modes",
        axes=(BATCH_SIZE, _last_axis(factor, factor_per_layer)),
        factor=factor,
        factor_per_layer=factor_per_layer,
        layers_needed=max(part.layers_needed for part in parts),
        layers=tuple(layers for part in parts for layers in part.layers),
        function=function,
    )


def _last_axis(factor: int, factor_per_layer: int = 0) -> str:
    """Name of the last axis: `hidden_size`, `4*hidden_size`, `(L+1)*hidden_size` for any number of layers."""
    if (factor, factor_per_layer) == (1, 0):
        return HIDDEN_SIZE
    return f"{written((factor, factor_per_layer))}*{HIDDEN_SIZE}"
