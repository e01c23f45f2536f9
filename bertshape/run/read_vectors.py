"""Some rows of a file of vectors, read without the others: the file may be larger than the memory."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import numpy
import torch
from safetensors import safe_open

from bertshape.run.arrays import column_names
from bertshape.run.vector_files import table_module

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_vectors(path: Path, name: str, rows: Sequence[int]) -> torch.Tensor:
    """Read the vectors of some texts.

    Args:
        path: What `embed` wrote.
        name: The array; the column `vector` of a table.
        rows: Numbers of its rows, the smallest first.

    Returns:
        Shape: (number of rows, size of the vector).
    """
    if path.suffix in (".parquet", ".arrow"):
        return torch.tensor(table_module().read_rows(path, rows))
    if path.suffix == ".jsonl":
        return torch.tensor(_of_lines(path, rows), dtype=torch.float32)
    if path.suffix == ".npy":
        return torch.from_numpy(numpy.load(path, mmap_mode="r")[list(rows)])
    if path.suffix == ".npz":
        return _of_archive(path, name, rows)
    with safe_open(path, framework="pt") as file:
        part = file.get_slice(name)
        return torch.cat([part[row : row + 1] for row in rows])


def _of_lines(path: Path, rows: Sequence[int]) -> list[object]:
    wanted, (column,) = set(rows), column_names(["the only one"])
    with path.open("rb") as file:
        return [json.loads(line)[column] for index, line in enumerate(file) if index in wanted]


def _of_archive(path: Path, name: str, rows: Sequence[int]) -> torch.Tensor:
    """Npz members are stored as they are, so that a row is found by its offset."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        numpy.lib.format.read_magic(member)
        shape, _, dtype = numpy.lib.format.read_array_header_1_0(member)
        begin, size = member.tell(), shape[1] * dtype.itemsize
        found = []
        for row in rows:
            member.seek(begin + row * size)
            found.append(numpy.frombuffer(member.read(size), dtype))
    return torch.from_numpy(numpy.stack(found))
