"""Shapes with named axes: the one value that every part of bertshape speaks about."""

from __future__ import annotations

import math
from dataclasses import dataclass

BATCH_SIZE = "batch_size"
SEQUENCE_LENGTH = "sequence_length"
HIDDEN_SIZE = "hidden_size"
NUM_ATTENTION_HEADS = "num_attention_heads"

DTYPE_BYTES: dict[str, int] = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
}
"""Bytes of one element, by the name torch gives the dtype."""


@dataclass(frozen=True)
class TensorShape:
    """A shape whose axes have names, and the dtype of the elements.

    Attributes:
        axes: Name of each axis, such as `batch_size`.
        sizes: Size of each axis, as many as there are axes.
        dtype: Element type by its torch name, such as `float32`.
    """

    axes: tuple[str, ...]
    sizes: tuple[int, ...]
    dtype: str

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.sizes):
            raise ValueError(f"{len(self.axes)} axes {self.axes} for {len(self.sizes)} sizes {self.sizes}")

    @property
    def bytes(self) -> int:
        """Bytes that the tensor takes, without padding or strides."""
        return math.prod(self.sizes) * DTYPE_BYTES[self.dtype]

    @property
    def by_name(self) -> str:
        """The axes as people say them: `batch_size x sequence_length x hidden_size`."""
        return " x ".join(self.axes)

    @property
    def by_size(self) -> str:
        """The sizes as torch prints them: `[1, 8, 768]`."""
        return f"[{', '.join(map(str, self.sizes))}]"
