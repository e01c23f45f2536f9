"""What a header says: one tensor, one file, one checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DTYPES: dict[str, tuple[str, int]] = {
    "BOOL": ("bool", 8),
    "F4": ("float4_e2m1fn", 4),
    "F6_E2M3": ("float6_e2m3fn", 6),
    "F6_E3M2": ("float6_e3m2fn", 6),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "I16": ("int16", 16),
    "U16": ("uint16", 16),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "I32": ("int32", 32),
    "U32": ("uint32", 32),
    "F32": ("float32", 32),
    "C64": ("complex64", 64),
    "F64": ("float64", 64),
    "I64": ("int64", 64),
    "U64": ("uint64", 64),
}
"""Name in a safetensors header -> name that torch gives the dtype, and bits of one element (safetensors 0.8).

torch has no name for one 4-bit or 6-bit element (its `float4_e2m1fn_x2` is a pair): those names follow ml_dtypes.
"""

STORAGES: dict[str, str] = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
}
"""Element types by the names of torch's older classes, which pickles name."""

_BITS = dict(DTYPES.values())


@dataclass(frozen=True)
class TensorInfo:
    """A stored tensor, without its data.

    Attributes:
        name: Name of the tensor, such as `embeddings.word_embeddings.weight`.
        dtype: Element type by its torch name, such as `float32`.
        shape: Size of each axis; empty for a scalar.
        file: Name of the file that stores the tensor.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: str

    @property
    def elements(self) -> int:
        """How many elements the tensor has."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes that the data takes in its file."""
        return self.elements * _BITS[self.dtype] // 8


@dataclass(frozen=True)
class FileHeader:
    """The header of one file.

    Attributes:
        name: Name of the file.
        size: Bytes of the whole file.
        tensors: The tensors by name, in the order of the header.
        metadata: The `__metadata__` of the header, such as `{"format": "pt"}`.
        bytes_read: Bytes that were fetched to know all this.
    """

    name: str
    size: int
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    bytes_read: int


@dataclass(frozen=True)
class WeightHeaders:
    """The headers of all weight files of a checkpoint.

    Attributes:
        tensors: The tensors of all files, by name.
        files: Names of the weight files, without the index.
        format: Format of the files: `safetensors`, or `pickle` for those of torch.save.
        bytes_read: Bytes that were fetched from the weight files.
        metadata: The `__metadata__` of all files; where files disagree, the first one counts.
        total_bytes: Size of the weight files together.
        unlisted: Tensors that a shard stores and the index does not name. Loaders read them all the same.
        inside: Key of the dict in a pickle that holds the tensors; None where they are where loaders look for them.
    """

    tensors: Mapping[str, TensorInfo]
    files: tuple[str, ...]
    format: str
    bytes_read: int
    metadata: Mapping[str, str]
    total_bytes: int
    unlisted: tuple[str, ...] = ()
    inside: str | None = None

    @property
    def is_safetensors(self) -> bool:
        """Whether the files are safetensors, whose numbers can be read without torch."""
        return self.format == "safetensors"
