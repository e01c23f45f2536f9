"""Strategies that are no row of the table: on other layers than the last, or several joined."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pooling.functions import concatenate
from bertshape.pooling.layer_ranges import written
from bertshape.pooling.notation import Term, parse, refuse
from bertshape.pooling.strategies import STRATEGIES
from bertshape.pooling.strategy import Strategy
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs
    from bertshape.pooling.layer_ranges import Layers
    from bertshape.pooling.reads import Positions, TokenWeights

_JOINED_FORMULA = 40
_SAME = {
    "second_to_last": "mean@-2",
    "last4_mean": "mean@-4:",
    "last4_sum": "mean@-4:sum",
    "last4_concat": "mean@-4:concat",
}
"""Strategies with layers of their own, as the grammar writes them."""
_OTHER_NAMES = {
    "average": "mean", "avg": "mean", "mean_pooling": "mean", "mean_tokens": "mean", "cls_token": "cls",
    "first": "cls", "max_tokens": "max", "max_pooling": "max", "mean_sqrt_len": "mean_sqrt_len_tokens",
    "weighted_mean": "weightedmean", "weightedmean_tokens": "weightedmean", "last": "lasttoken", "eos": "lasttoken",
    "last_token": "lasttoken", "pooler_output": "pooler", "pooled": "pooler", "last4": "last4_mean", "none": "tokens",
}  # fmt: skip
"""What strategies are called elsewhere."""


def read(text: str) -> Strategy:
    """The strategy that a text such as `mean@-2` or `cls+mean@1:3:sum` names.

    Raises:
        UsageError: A name is unknown, the grammar is not kept, or a combination makes no sense.
    """
    terms = parse(text)
    parts = [_find(text, term) for term in terms]
    # Under the name that it was asked for: `mean@-4::concat` stays so.
    return _combine(text, parts) if len(parts) > 1 else replace(parts[0], name=text)


def _find(text: str, term: Term) -> Strategy:
    name = term.name
    if name in STRATEGIES:
        return STRATEGIES[name] if term.layers is None else _on_layers(text, STRATEGIES[name], term.layers)
    plain = name.lower().replace("-", "_").removeprefix("pooling_mode_")
    exact = plain if plain in STRATEGIES else _OTHER_NAMES.get(plain)
    near = [exact] if exact else difflib.get_close_matches(plain, STRATEGIES, n=3)
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

    def reads(positions: Positions) -> TokenWeights:
        # Each part has its own numbers of the result: a token weighs what it weighs where it weighs most.
        return tuple(map(max, zip(*(part.reads(positions) for part in parts), strict=True)))

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
        reads=reads,
    )


def _last_axis(factor: int, factor_per_layer: int = 0) -> str:
    """Name of the last axis: `hidden_size`, `4*hidden_size`, `(L+1)*hidden_size` for any number of layers."""
    if (factor, factor_per_layer) == (1, 0):
        return HIDDEN_SIZE
    return f"{written((factor, factor_per_layer))}*{HIDDEN_SIZE}"
