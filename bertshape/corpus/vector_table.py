"""Columns of vectors of a Parquet or Arrow file. Imported where there is such a file: pyarrow may be absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow
from pyarrow import feather, parquet, types

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_columns(path: Path) -> tuple[list[str], Callable[[str], list[Any]]]:
    """Names of the columns that hold lists, and what reads one of them.

    Raises:
        ValueError: The file is none of its format.
        OSError: It cannot be read.
    """
    is_parquet = path.suffix.lower() == ".parquet"
    if is_parquet:
        schema = parquet.read_schema(path)
    else:
        with pyarrow.memory_map(str(path)) as source:
            schema = _schema(source)

    def read(name: str) -> list[Any]:
        table = parquet.read_table(path, columns=[name]) if is_parquet else _table(path)
        return list(table.column(name).to_pylist())

    return [field.name for field in schema if _is_list(field.type)], read


def _table(path: Path) -> Any:
    try:
        return feather.read_table(path)
    except pyarrow.ArrowInvalid:
        with pyarrow.memory_map(str(path)) as source:
            return pyarrow.ipc.open_stream(source).read_all()


def _schema(source: Any) -> Any:
    try:
        return pyarrow.ipc.open_file(source).schema
    except pyarrow.ArrowInvalid:
        source.seek(0)
        return pyarrow.ipc.open_stream(source).schema


def _is_list(kind: Any) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
