"""What the weight headers of a model tell whose code is not known: its vocabulary, its sizes, its layers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.tensors import TensorInfo

_TABLE = re.compile(r"(^|\.)((word|tok|token)_embeddings?|embed_tokens|wte|shared)\.weight$")
_LAYER = re.compile(r"(^|\.)(layers?|blocks?|h)\.([0-9]{1,4})\.")


@dataclass(frozen=True)
class HeaderFacts:
    """Sizes by the names of the tensors, whatever the model makes of them.

    Attributes:
        table: Name of the table of tokens; None where none is known by its name.
        rows: Its rows.
        embedding_size: Its columns.
        layers: How many layers are counted; None where the names do not tell.
        parameters: Numbers stored.
    """

    table: str | None
    rows: int | None
    embedding_size: int | None
    layers: int | None
    parameters: int


def read_headers(tensors: Mapping[str, TensorInfo]) -> HeaderFacts:
    """Look at names and shapes.

    Args:
        tensors: All stored tensors, by name.
    """
    tables = [name for name, tensor in tensors.items() if _TABLE.search(name) and len(tensor.shape) == 2]
    table = max(tables, key=lambda name: tensors[name].shape[0], default=None)
    rows, size = tensors[table].shape if table else (None, None)
    indices = [int(match[3]) for name in tensors if (match := _LAYER.search(name))]
    parameters = sum(math.prod(tensor.shape) for tensor in tensors.values())
    return HeaderFacts(table, rows, size, max(indices) + 1 if indices else None, parameters)
