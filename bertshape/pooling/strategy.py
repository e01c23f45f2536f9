"""What a pooling strategy is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs
    from bertshape.pooling.layer_ranges import Layers
    from bertshape.pooling.reads import Positions, TokenWeights

CountName = Literal["attended", "content", "padding", "positions"]
"""What a strategy may average over, as its summary names it."""
_NO_COUNTS = {"attended": "the", "content": "the", "padding": "some", "positions": "all"}


@dataclass(frozen=True)
class Strategy:
    """One way from token vectors to a vector.

    Attributes:
        name: Its name; that of sentence-transformers where it has one.
        formula: How it is computed: h is a token's vector, m its attention mask, t its position from 1.
        summary: What it averages over, with places for numbers such as `{attended}`; see `over`.
        source: Where it comes from.
        axes: Names of the axes of the result.
        factor: The last axis is this many times hidden_size; 1 for most.
        factor_per_layer: And this many times for each of num_hidden_layers, where all the layers up to an end of
            the model are concatenated, as by `mean@1:concat`; 0 for nearly all.
        layers_needed: Fewest num_hidden_layers it works with. The embeddings, hidden_states[0], are no layer: with
            three layers the last four hidden_states exist, and are not what last4_* means.
        function: The computation.
        reads: Which tokens of a text it reads, each with its relative weight.
        layers: Choices of layers, of each term that makes one, as in `mean@-2+max@0`.
    """

    name: str
    formula: str
    summary: str
    source: str
    axes: tuple[str, ...]
    factor: int
    layers_needed: int
    function: Callable[[PoolingInputs], Tensor]
    reads: Callable[[Positions], TokenWeights]
    layers: tuple[Layers, ...] = ()
    factor_per_layer: int = 0

    @property
    def needs_hidden_states(self) -> bool:
        """Whether it takes the output of any layer but the last."""
        return self.layers_needed > 0 or not all(layers.last_alone for layers in self.layers)

    def over(self, counts: Mapping[str, str] = _NO_COUNTS) -> str:
        """What it averages over, in words.

        Args:
            counts: Number of `attended`, `content`, `padding` and `positions` of a batch, such as `8` or `8-18`;
                words stand in their place where there is no batch.
        """
        return re.sub(r"^1 (\w+ )?(token|position)s\b", r"1 \1\2", self.summary.format(**counts))
