"""Tensors as NumPy holds them, and the names that they get in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = "bertshape"
"""Name of what a file says of itself: an array in npz, a key of the metadata in Parquet and Arrow."""


def as_numpy(vectors: torch.Tensor, *, wide: bool = False) -> Any:
    """The same numbers in NumPy, which lacks bfloat16: every bfloat16 number is a float32.

    Args:
        vectors: The numbers.
        wide: Make float32 of float16 too, which few readers of tables know.
    """
    halves = (torch.bfloat16, torch.float16) if wide else (torch.bfloat16,)
    return (vectors.float() if vectors.dtype in halves else vectors).contiguous().numpy()


def column_names(arrays: Sequence[str]) -> list[str]:
    """Columns of the arrays in a table: `vector` for the only one, their names for several."""
    return ["vector"] if len(arrays) == 1 else list(arrays)
