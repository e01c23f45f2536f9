"""Weights in pickles, looked at before torch reads them: what makes memory of nothing is refused.

torch runs no code of a pickle, and yet takes what it asks for: `bytearray(20_000_000_000)` has 53 bytes in a file.
"""

from __future__ import annotations

import mmap
import zipfile
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

_MADE = b"\nbytearray\n"
"""The one name that torch lets a pickle call, and that fills as much memory as a number says; no tensor needs it."""
_MOST_EXPANSION = 20
"""torch stores the members of its archives as they are; numbers that are compressed shrink to a half."""


def check_pickle(path: Path) -> None:
    """Refuse a pickle that asks for memory of its own, or an archive that grows when it is read.

    Args:
        path: The file; what cannot be read is left to whoever loads it.

    Raises:
        CheckpointError: It does.
    """
    try:
        size = path.stat().st_size if path.is_file() else 0
        if not size:
            return
        if zipfile.is_zipfile(path):
            _check_archive(path, size)
            return
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(_MADE) >= 0:
                raise _refused(path, "it makes a bytearray, which no tensor needs")
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError):
        return


def _check_archive(path: Path, size: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        expanded = sum(member.file_size for member in members)
        if expanded > size * _MOST_EXPANSION:
            raise _refused(path, f"its {size:,} bytes expand to {expanded:,}")
        for member in members:
            if member.filename.endswith(".pkl") and _MADE in archive.read(member):
                raise _refused(path, "it makes a bytearray, which no tensor needs")


def _refused(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is no file of weights: {why}; it was not loaded",
        hint="Ask for a safetensors file: pickles can ask for anything.",
        code="weights-unsafe",
    )
