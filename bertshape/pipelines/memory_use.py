"""What a model keeps in memory in one way of using it: what is added to what, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.shapes import DTYPE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.predict.architecture import Architecture
    from bertshape.predict.memory import Activations, Mode
    from bertshape.report.memory import Attention, Optimizer, Use

_MODES: dict[Use, Mode] = {
    "inference": "inference",
    "training": "training",
    "training_checkpointing": "checkpointing",
}
_BLOCK = 256
"""bitsandbytes keeps a float32 for each block of so many 8-bit states ..."""
_SMALL = 4096
"""... and states of 32 bits for tensors of fewer elements than this."""


@dataclass(frozen=True)
class MemoryUse:
    """A model, as far as memory is concerned.

    Attributes:
        architecture: Dimensions and family.
        sizes: Elements of each parameter.
        vocabulary: Elements of the table of tokens.
        activations: What lives besides weights; None where it was not counted.
    """

    architecture: Architecture
    sizes: Mapping[str, int]
    vocabulary: int
    activations: Activations | None

    @property
    def most(self) -> int | None:
        """Tokens that a text may have; None where nothing bounds it."""
        return self.architecture.usable_length

    def weights(self, dtype: str) -> int:
        """Bytes of the weights, and of their gradients."""
        return sum(size * DTYPE_BYTES[self.architecture.dtype_of(name, dtype)] for name, size in self.sizes.items())

    def optimizers(self, dtype: str) -> dict[Optimizer, int]:
        """Bytes of the states of optimizers: torch's AdamW keeps two of the dtype of each weight."""
        blocks = [(size, size // _BLOCK + (size % _BLOCK > 0)) for size in self.sizes.values()]
        eight = sum(2 * (8 // 2) * size if size < _SMALL else 2 * (size + 4 * count) for size, count in blocks)
        return {"adamw": 2 * self.weights(dtype), "adamw_8bit": eight, "sgd": 0}

    def counted(self, use: Use, attention: Attention, dtype: str, shape: tuple[int, int]) -> int | None:
        """Bytes of the activations at their peak; None where they are not known."""
        found = self.activations
        return None if found is None else found.bytes(_MODES[use], attention, dtype, shape)

    def total(self, use: Use, attention: Attention, dtype: str, shape: tuple[int, int]) -> int | None:
        """Bytes of all tensors at the peak; in training over a step with AdamW, from the second step on.

        Gradients are made while activations are given back: the peak is before the first gradient, before the last
        one, or in the optimizer's step, where torch keeps one more tensor for each weight.
        """
        peak = self.counted(use, attention, dtype, shape)
        if peak is None or self.activations is None:
            return None
        weights = self.weights(dtype)
        if use == "inference":
            return weights + peak
        last = self.activations.bytes(_MODES[use], attention, dtype, shape, layers=1) or 0
        before_last = max(last, 0) + weights - self.vocabulary * DTYPE_BYTES[dtype]
        return weights + self.optimizers(dtype)["adamw"] + max(peak, before_last, 2 * weights)

    def kept(self, dtype: str, shape: tuple[int, int]) -> tuple[int | None, int | None]:
        """Bytes that hidden_states and attentions add to inference; None where that is not known.

        Two hidden states and the attention weights of one layer live at the peak anyway.
        """
        architecture, width = self.architecture, DTYPE_BYTES[dtype]
        odd, layers = architecture.observed_only, architecture.layer_outputs
        hidden = shape[0] * shape[1] * architecture.dimensions.hidden_size
        scores = shape[0] * shape[1] ** 2 * (architecture.dimensions.num_attention_heads or 0)
        there = self.activations is not None and self.activations.keeps_hidden_states
        added = 0 if there else max(layers - 2, 0) * hidden * width
        gives = architecture.gives_attentions and scores and "attentions" not in odd
        return None if "hidden_states" in odd else added, max(layers - 1, 0) * scores * width if gives else None

    def cache(self, dtype: str, shape: tuple[int, int]) -> int | None:
        """Bytes that keys and values of all layers add to inference; None for what is no decoder, or keeps none.

        transformers keeps them unless use_cache is off, sentence-transformers does not.
        """
        architecture = self.architecture
        decodes = architecture.family is not None and architecture.family.group == "decoder"
        if not decodes or architecture.values.get("use_cache") is False:
            return None
        sizes, heads = architecture.dimensions, architecture.dimensions.num_attention_heads or 1
        head = architecture.number("head_dim") or sizes.hidden_size // heads
        groups = architecture.number("num_key_value_heads") or heads
        return 2 * math.prod((sizes.num_hidden_layers, *shape, groups, head, DTYPE_BYTES[dtype]))
