"""Which hidden_states a strategy takes, and how what it makes of each of them is joined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bertshape.pooling.functions import concatenate, widen
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs

Join = Literal["concat", "sum", "mean"]
JOINS: tuple[Join, ...] = ("concat", "sum", "mean")
Linear = tuple[int, int]
"""A number that may depend on the model: the first of the two, plus num_hidden_layers times the second."""

_FORMULA_LENGTH = 36
"""Longest formula that is written out; a longer one counts its layers by an index."""


@dataclass(frozen=True)
class Layers:
    """A choice of hidden_states, counted as Python counts: 0 is the embeddings, 1 the first layer, -1 the last.

    Attributes:
        first: Index of the first one; None for the start.
        last: Index of the one after the last; None for the end. Of no meaning for one layer.
        join: How the results of several layers become one; None where one layer is chosen.
    """

    first: int | None
    last: int | None = None
    join: Join | None = None

    def __str__(self) -> str:
        if self.join is None:
            return str(self.first)
        ends = ":".join("" if end is None else str(end) for end in (self.first, self.last))
        return ends if self.join == "mean" else f"{ends}:{self.join}"

    @property
    def begin(self) -> Linear:
        """Index of the first one, from 0."""
        first = self.first or 0
        return (first + 1, 1) if first < 0 else (first, 0)

    @property
    def end(self) -> Linear:
        """Index of the one after the last, from 0."""
        if self.join is None:
            return self.begin[0] + 1, self.begin[1]
        if self.last is None:
            return 1, 1
        return (self.last + 1, 1) if self.last < 0 else (self.last, 0)

    @property
    def count(self) -> Linear:
        """Number of hidden_states chosen."""
        return self.end[0] - self.begin[0], self.end[1] - self.begin[1]

    @property
    def never_any(self) -> bool:
        """Whether no model has any of them, as with `4:2`."""
        constant, per_layer = self.count
        return self.end == (0, 0) or (per_layer == 0 and constant <= 0)

    @property
    def last_alone(self) -> bool:
        """Whether only the last layer's output is taken."""
        return self.begin == (0, 1) and self.end == (1, 1)

    def indices(self, num_hidden_layers: int) -> range | None:
        """Indices of a model's hidden_states, from 0; None where it lacks one of them, or none is left.

        Python would cut a slice to what is there, and with it what the result means.
        """
        begin, end = at(self.begin, num_hidden_layers), at(self.end, num_hidden_layers)
        return range(begin, end) if 0 <= begin < end <= num_hidden_layers + 1 else None

    def missing(self, num_hidden_layers: int) -> str | None:
        """Why a model does not have them, or None where it has."""
        if self.indices(num_hidden_layers) is not None:
            return None
        if self.join is None:
            return f"needs layer {self.first}, the model has {counted(num_hidden_layers, 'layer')}"
        ends = str(replace(self, join="mean"))
        begin, end = at(self.begin, num_hidden_layers), at(self.end, num_hidden_layers)
        what = "are none of" if begin >= end else "reach beyond"
        return f"layers {ends} {what} the model's hidden_states 0 to {num_hidden_layers}"

    def formula(self, name: str) -> str:
        """How the strategy of a name is joined over the layers: `[mean(h_L-3), ..., mean(h_L)]`."""
        begin, last = _index(self.begin), _index((self.end[0] - 1, self.end[1]))

        def term(index: str) -> str:
            return f"h_{index}" if name == "tokens" else f"{name}(h_{index})"

        if self.join is None or self.count == (1, 0):
            return term(begin)
        between = ", " if self.join == "concat" else " + "
        dots = [] if self.count == (2, 0) else ["..."]
        terms = between.join([term(begin), *dots, term(last)])
        whole = {"concat": f"[{terms}]", "sum": terms, "mean": f"({terms}) / {written(self.count)}"}[self.join]
        if len(whole) <= _FORMULA_LENGTH:
            return whole
        counted = f"{term('i')}, i={begin}..{last}"
        return {"concat": f"[{counted}]", "sum": f"sum {counted}", "mean": f"avg {counted}"}[self.join]

    def apply(self, function: Callable[[PoolingInputs], Tensor], inputs: PoolingInputs) -> Tensor:
        """Compute a strategy on each of the layers, and join the results.

        Args:
            function: What the strategy makes of last_hidden_state.
            inputs: The batch, with hidden_states.

        Returns:
            Shape: that of the strategy; by `concat` the last axis is as many times as long as there are layers.

        Raises:
            IndexError: The model has not all of the layers.
        """
        indices = self.indices(len(inputs.hidden_states) - 1)
        if indices is None:
            raise IndexError(f"no hidden_states[{self}] among {len(inputs.hidden_states)}")
        chosen = [inputs.hidden_states[index] for index in indices]
        # Half precision stays wide until all layers are joined, or their sum would be rounded at every step.
        results = [function(replace(inputs, last_hidden_state=widen(layer))) for layer in chosen]
        if self.join == "concat":
            return concatenate(results).to(chosen[0].dtype)
        total = results[0]
        for result in results[1:]:
            total = total + result
        return (total / len(results) if self.join == "mean" else total).to(chosen[0].dtype)


def written(number: Linear) -> str:
    """`4`, `L`, `2L` or `(L+1)`; `(8-L)` where a slice ends before it begins in larger models."""
    constant, per_layer = number
    if not per_layer:
        return str(constant)
    slope = {1: "L", -1: "-L"}.get(per_layer, f"{per_layer}L")
    if per_layer < 0 and constant:
        return f"({constant}{slope})"
    return f"({slope}{constant:+})" if constant else slope


def at(number: Linear, num_hidden_layers: int) -> int:
    """The number for a model."""
    return number[0] + number[1] * num_hidden_layers


def _index(number: Linear) -> str:
    return written(number).strip("()")
