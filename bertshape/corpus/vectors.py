"""Vectors from a file of any common kind -> one matrix, checked: one row per text, finite, of one size."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy
from safetensors import safe_open

from bertshape.corpus.byte_lines import open_bytes, read_lines
from bertshape.corpus.npz import matrices, read_matrix
from bertshape.corpus.text_file import BadRecord, TextFile
from bertshape.errors import BertshapeError, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_BYTES = 8 * 1024**3
"""A larger file is refused: it would not fit the memory of most machines."""
_USUAL = ("sentence_embedding", "embedding", "embeddings", "vector", "vectors")
_TABLES = (".parquet", ".arrow", ".feather", ".ipc")
_FORMATS = ".npy, .npz, .safetensors, .parquet, .arrow, .jsonl or .csv"


@dataclass(frozen=True)
class GivenVectors:
    """Vectors that somebody made.

    Attributes:
        values: Shape: (texts, embedding_dimension); float32.
        dtype: Dtype in the file, by name.
        name: The file.
        column: Name of the array or column; empty for a file of one matrix.
    """

    values: Any
    dtype: str
    name: str
    column: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def dimension(self) -> int:
        """Numbers of each vector."""
        return int(self.values.shape[1])

    @property
    def quantized(self) -> bool:
        """Whether the file holds integers."""
        return "int" in self.dtype

    @property
    def rounded_to(self) -> str:
        """The narrowest dtype that holds all numbers: `float16`, `bfloat16` or `float32`; of integers the last."""
        if self.quantized:
            return "float32"
        with numpy.errstate(over="ignore"):
            if (self.values.astype(numpy.float16).astype(numpy.float32) == self.values).all():
                return "float16"
        if not (numpy.ascontiguousarray(self.values).view(numpy.uint32) & 0xFFFF).any():
            return "bfloat16"
        return "float32"

    @property
    def decimals(self) -> int | None:
        """Decimals that all numbers are rounded to: 3, 4 or 5; None where they have more."""
        for decimals in () if self.quantized else (3, 4, 5):
            if numpy.abs(self.values - self.values.round(decimals)).max() <= 1e-7 * self.largest:
                return decimals
        return None

    def unpacked(self) -> GivenVectors:
        """What packed bits stand for: 1 and -1, eight of them in each integer; -128 is no bit in signed ones."""
        numbers = self.values + (128 if self.values.min() < 0 else 0)
        bits = numpy.unpackbits(numbers.clip(0, 255).astype(numpy.uint8), axis=1)
        return replace(self, values=bits.astype(numpy.float32) * 2 - 1)

    @property
    def largest(self) -> float:
        """Largest number, whatever its sign."""
        return float(numpy.abs(self.values).max())

    def rows(self, chosen: Sequence[int]) -> Any:
        """Some of the vectors. Shape: (len(chosen), embedding_dimension)."""
        return numpy.ascontiguousarray(self.values[list(chosen)])


def read_vectors(path: Path, column: str | None = None) -> GivenVectors:
    """Read a file of vectors.

    Args:
        path: The file; its ending names its format.
        column: Array, column or key of the vectors; None takes the only one, or one with a usual name.

    Raises:
        UsageError: The file cannot be read, or what it holds is not one finite vector of one size per row.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise _unreadable(path, "it is no regular file")
        if size > MAX_BYTES:
            raise _unreadable(path, f"it has {size:,} bytes, and at most {MAX_BYTES:,} are read", "Take a part of it.")
        values, found = _read(path, column)
    except BertshapeError:
        raise
    except Exception as error:  # zipfile, zlib, pyarrow, NumPy and safetensors have errors of their own, many of them
        raise _unreadable(path, getattr(error, "strerror", None) or one_line(error)) from error
    return _checked(path, values, found)


def _read(path: Path, column: str | None) -> tuple[Any, str]:
    ending = path.suffix.lower()
    if ending == ".npy":
        return numpy.load(path, mmap_mode="r", allow_pickle=False), ""
    if ending == ".npz":
        chosen = _choose(path, matrices(path), column)
        return read_matrix(path, chosen), chosen
    if ending == ".safetensors":
        return _safetensors(path, column)
    if ending in _TABLES:
        return _table(path, column)
    if ending in (".jsonl", ".ndjson", ".json"):
        return _jsonl(path, column)
    if ending == ".csv":
        return _csv(path, column), ""
    raise _unreadable(path, f"its ending names no format, expected {_FORMATS}", "Write it as .npy: numpy.save.")


def _csv(path: Path, column: str | None) -> Any:
    try:
        if column is not None:
            raise ValueError("all columns of a CSV file make one vector, and --vector-column names one")
        return numpy.loadtxt(path, delimiter=",", dtype=numpy.float32, ndmin=2, skiprows=_header(path))
    except ValueError as error:
        hint = "Write one number in each column, and nothing else; Parquet and JSON lines have columns of vectors."
        raise _unreadable(path, one_line(error), hint) from error


def _safetensors(path: Path, column: str | None) -> tuple[Any, str]:
    with safe_open(path, framework="numpy") as file:
        names = [name for name in file.keys() if len(file.get_slice(name).get_shape()) == 2]  # noqa: SIM118
        chosen = _choose(path, names, column)
        try:
            return file.get_tensor(chosen), chosen
        except TypeError as error:  # NumPy lacks bfloat16.
            hint = "Save it as float32."
            raise _unreadable(path, f"{chosen} has a dtype that NumPy lacks: {one_line(error)}", hint) from error


def _table(path: Path, column: str | None) -> tuple[Any, str]:
    try:
        # pyarrow is an extra, and takes 0.2 s to import.
        table = importlib.import_module("bertshape.corpus.vector_table")
    except ImportError as error:
        hint = "Install it: python -m pip install pyarrow."
        raise UsageError(f"{path}: Parquet and Arrow need pyarrow", hint=hint, code="pyarrow-missing") from error
    names, read = table.read_columns(path)
    chosen = _choose(path, names, column)
    return _stack(path, read(chosen)), chosen


def _jsonl(path: Path, column: str | None) -> tuple[Any, str]:
    rows, file = [], TextFile(str(path))
    with open_bytes(file) as stream:
        for number, line in enumerate(read_lines(stream, file), start=1):
            if isinstance(line, BadRecord):
                raise line.error
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _unreadable(path, f"line {number} is no JSON: {one_line(error)}") from error
            if isinstance(value, dict):
                lists = [name for name, inner in value.items() if isinstance(inner, list)]
                column = _choose(path, lists, column)
                value = value[column]
            rows.append(value)
    return _stack(path, rows), column or ""


def _stack(path: Path, rows: Sequence[Any]) -> Any:
    sizes: Mapping[int, int] = {len(row) if isinstance(row, list) else -1: at for at, row in enumerate(rows, start=1)}
    if len(sizes) > 1 or -1 in sizes:
        shown = ", ".join(f"{size} in row {at}" if size >= 0 else f"none in row {at}" for size, at in sizes.items())
        raise _unreadable(path, f"its rows are not vectors of one size: {shown[:200]}")
    try:
        return numpy.array(rows, dtype=numpy.float32)
    except (TypeError, ValueError) as error:
        raise _unreadable(path, f"its vectors hold something that is no number: {one_line(error)}") from error


def _header(path: Path) -> int:
    with path.open(encoding="utf-8") as file:
        first = file.readline(16 * 1024 * 1024)
    try:
        [float(field) for field in first.split(",")]
    except ValueError:
        return 1
    return 0


def _choose(path: Path, names: Sequence[str], column: str | None) -> str:
    if column is not None and column in names:
        return column
    usual = [name for name in _USUAL if name in names]
    if column is None and (usual or len(names) == 1):
        return (usual or list(names))[0]
    shown = ", ".join(names[:10]) or "none"
    missing = "no column of vectors" if column is None and not names else f"no column {column!r} of vectors"
    message = f"{path} has {len(names)} columns of vectors" if column is None and names else f"{path} has {missing}"
    hint = f"Pass --vector-column with one of those that hold vectors: {shown}."
    raise UsageError(message, hint=hint, code="vector-column")


def _checked(path: Path, values: Any, column: str) -> GivenVectors:
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "fiu":
        what = f"it holds an array of shape {list(values.shape)} and dtype {values.dtype}, expected one row per text"
        raise _unreadable(path, what)
    with numpy.errstate(over="ignore"):  # What is too large for float32 becomes infinite, and is refused as such.
        numbers = numpy.asarray(values, dtype=numpy.float32)
    broken = numpy.flatnonzero(~numpy.isfinite(numbers).all(axis=1))
    if len(broken):
        what = f"row {broken[0] + 1} has NaN or infinity ({len(broken):,} of {len(numbers):,} rows have)"
        raise _unreadable(path, what, "Leave these rows out, and their texts.")
    if not numbers.any():
        raise _unreadable(path, "all its numbers are zero", "Make the vectors again: no text has such a vector.")
    return GivenVectors(numbers, str(values.dtype), str(path), column)


def _unreadable(
    path: Path, reason: object, hint: str = "Check the file; --vector-column names a column."
) -> UsageError:
    return UsageError(f"cannot read vectors from {path}: {reason}", hint=hint, code="vectors-unreadable")
