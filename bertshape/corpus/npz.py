"""Arrays of an .npz file: their headers are looked at first, for NumPy takes all the memory that one asks for."""

from __future__ import annotations

import math
import zipfile
from typing import IO, TYPE_CHECKING, Any

from numpy.lib import format as npy

if TYPE_CHECKING:
    from pathlib import Path

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
MAX_EXPANSION = 250
"""Vectors are compressed to two thirds; what grows more than this is made to fill memory."""


def matrices(path: Path) -> list[str]:
    """Names of the arrays of two axes.

    Raises:
        ValueError: The file grows beyond all use, or a header is none.
        Exception: It is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        expanded = sum(member.file_size for member in archive.infolist())
        if expanded > MAX_EXPANSION * path.stat().st_size:
            raise ValueError(f"its {path.stat().st_size:,} bytes expand to {expanded:,}")
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        return [name.removesuffix(".npy") for name in names if len(_shape(archive, name)) == 2]


def read_matrix(path: Path, name: str) -> Any:
    """One of them; errors are those of `matrices`."""
    with zipfile.ZipFile(path) as archive:
        _shape(archive, f"{name}.npy")
        with archive.open(f"{name}.npy") as file:
            return npy.read_array(file, allow_pickle=False)


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    """Shape of an array that has as many bytes as it says."""
    with archive.open(name) as file:
        shape, dtype = _header(file)
        held = archive.getinfo(name).file_size - file.tell()
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which are a pickle and not read")
    if math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"{name} has {held:,} bytes, and says that it has the shape {list(shape)} of {dtype}")
    return shape


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], Any]:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"an array is in version {version} of NumPy's format")
    shape, _, dtype = _HEADERS[version](file)
    return shape, dtype
