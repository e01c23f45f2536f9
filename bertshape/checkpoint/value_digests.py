"""Digests of stored numbers, read piece by piece: which tensors of two checkpoints hold the same values."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from bertshape.checkpoint.stored_values import stored_values, unreadable_values
from bertshape.checkpoint.weights import SINGLE_FILE
from bertshape.errors import CheckpointError
from bertshape.files import exists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.stored_values import Read

_PIECE = 1 << 22
_LEAVES = 2
"""Parts at the end of a name: a module and its weight or bias."""


def tensor_digests(checkpoint: Checkpoint, read: Read) -> dict[str, str]:
    """A digest of each stored tensor: its dtype, its shape, its bytes. Of a pickle, one of the whole file.

    Args:
        checkpoint: A checkpoint whose weight files are in its folder.
        read: Takes how many more bytes were read, and how many there are in all.

    Raises:
        CheckpointError: There are no weights, or a file of them is not here or cannot be read.
    """
    files = dict(_weight_files(checkpoint))
    absent = next((name for name, path in files.items() if not exists(path)), None)
    if absent is not None or not files:
        what = f"{absent} is not in the folder" if absent else "it holds no weights"
        raise CheckpointError(
            f"the values of {checkpoint.name} cannot be compared: {what}",
            hint="Download the weights into a folder, and pass that: hf download NAME --local-dir FOLDER.",
            code="values-not-here",
        )
    digests: dict[str, str] = {}
    try:
        total = sum(path.stat().st_size for path in files.values())
        for name, path in files.items():
            digests |= _of_file(name, path, lambda count: read(count, total))
    except OSError as error:
        raise unreadable_values(name, error) from error
    return digests


def part_digests(digests: Mapping[str, str]) -> dict[str, str]:
    """The same for whole parts of the model: the embeddings, each layer, the pooler.

    Args:
        digests: Those of the tensors.
    """
    parts: dict[str, list[str]] = defaultdict(list)
    for name in sorted(digests):
        parts[_part(name)].append(f"{name} {digests[name]}")
    return {part: _named(hashlib.sha256("\n".join(rows).encode())) for part, rows in parts.items()}


def _part(name: str) -> str:
    parts = name.split(".")
    at = next((index for index, part in enumerate(parts) if part.isdecimal()), None)
    return ".".join(parts[: at + 1] if at is not None else parts[:-_LEAVES] or parts[:1])


def _weight_files(checkpoint: Checkpoint) -> Iterator[tuple[str, Path]]:
    """Weight files of the model and of the steps after it, by the names that messages give them."""
    if checkpoint.weights_error is not None:
        raise checkpoint.weights_error
    for name in checkpoint.headers.files if checkpoint.headers is not None else checkpoint.pickles:
        yield name, checkpoint.folder / name
    for step in checkpoint.recipe.steps:
        path = checkpoint.location.folder / step.path / SINGLE_FILE
        if step.has_weights and exists(path):
            yield f"{step.path}/{SINGLE_FILE}", path


def _of_file(name: str, path: Path, read: Callable[[int], None]) -> Iterator[tuple[str, str]]:
    step = name.rpartition("/")[0]
    with path.open("rb") as file:
        if path.suffix != ".safetensors":
            yield name, _digest(file, path.stat().st_size, "", read)
            return
        for tensor, entry, begin, size in stored_values(file):
            file.seek(begin)
            kind = f"{entry['dtype']} {entry['shape']}"
            yield f"{step}/{tensor}" if step else tensor, _digest(file, size, kind, read)


def _digest(file: BinaryIO, size: int, kind: str, read: Callable[[int], None]) -> str:
    digest = hashlib.sha256(kind.encode())
    left = size
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise OSError("the file ends early")
        digest.update(piece)
        left -= len(piece)
        read(len(piece))
    return _named(digest)


def _named(digest: hashlib._Hash) -> str:
    return f"sha256:{digest.hexdigest()}"
