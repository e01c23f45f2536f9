"""Where the numbers of a safetensors file lie: for those who read them piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bertshape.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

Read = Callable[[int, int], None]
"""Takes how many more bytes were read, and how many there are in all."""


def unwatched(count: int, total: int) -> None:
    """Takes how far the reading is, and shows it to nobody."""


def stored_values(file: BinaryIO) -> Iterator[tuple[str, dict[str, Any], int, int]]:
    """Each tensor of a file, in the order of the bytes: its name, its entry in the header, its first byte, its size.

    Args:
        file: At its beginning. The header was checked against the format when the checkpoint was opened.
    """
    length = int.from_bytes(file.read(8), "little")
    entries = json.loads(file.read(length))
    entries.pop("__metadata__", None)
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        yield name, entry, 8 + length + begin, end - begin


def unreadable_values(name: str, error: OSError) -> CheckpointError:
    """The error of a weight file that stops being readable while its numbers are read."""
    return CheckpointError(
        f"{name} cannot be read as a weight file: {error.strerror or error}",
        hint="Check the file and its permissions.",
        code="weights-file-unreadable",
    )
