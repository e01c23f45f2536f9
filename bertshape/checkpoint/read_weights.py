"""The weights of a checkpoint, wherever it is: headers of files here, of the cache, or by byte ranges from the Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.byte_source import FileSource, MissingWeightsError
from bertshape.checkpoint.weights import INDEX_FILE, SINGLE_FILE, read_indexed, read_local, read_single, weight_map
from bertshape.errors import CheckpointError
from bertshape.files import exists, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.checkpoint.byte_source import ByteSource
    from bertshape.checkpoint.hub import Snapshot
    from bertshape.checkpoint.locate import Location
    from bertshape.checkpoint.tensors import WeightHeaders

PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_REMOTE_FIRST_READ = 100_000
"""Bytes of the first range; nearly every header fits, which saves a second request."""


def read_weights(location: Location, folder: Path) -> tuple[WeightHeaders | None, CheckpointError | None]:
    """Read the headers of a checkpoint's weight files.

    Args:
        location: Where the checkpoint is.
        folder: Folder of config.json and the weights.

    Returns:
        The headers, None where the weights are absent, or pickles that cannot be followed; and why files that are
        there cannot be read.
    """
    try:
        headers = _read_headers(location, folder)
        if headers is None:
            single = PICKLES[0] in present_files(location, folder)
            return pickle_headers(folder, PICKLES[:1] if single else _pickle_shards(location, folder)), None
    except CheckpointError as error:
        return None, error
    return headers, None


def pickle_headers(folder: Path, names: tuple[str, ...]) -> WeightHeaders | None:
    """Names and shapes in files of torch.save; what they are and the errors are those of `read_pickles`.

    Args:
        folder: Their folder.
        names: Names of the files.
    """
    # zipfile and pickletools take 5 ms to import, and few checkpoints are pickles.
    from bertshape.checkpoint.pickled_tensors import read_pickles

    return read_pickles(folder, names)


def _pickle_shards(location: Location, folder: Path) -> tuple[str, ...]:
    """The files that an index of pickles names; none without an index.

    Raises:
        MissingWeightsError: Some are missing.
        CheckpointError: The index cannot be read.
    """
    present, snapshot = present_files(location, folder), location.snapshot
    if PICKLES[1] not in present or (snapshot is not None and not snapshot.online):
        return ()
    shards = sorted(set(weight_map(read_bytes(folder / PICKLES[1]), PICKLES[1]).values()))
    absent = [name for name in shards if name not in present]
    if absent:
        raise MissingWeightsError(
            f"{len(absent):,} of {len(shards):,} weight files of {PICKLES[1]} are missing: {', '.join(absent[:3])}",
            hint="Download the checkpoint again, with all its shards.",
            code="weights-shard-missing",
        )
    return tuple(shards)


def _read_headers(location: Location, folder: Path) -> WeightHeaders | None:
    if location.snapshot is None:
        return read_local(folder)
    return _read_remote_headers(
        location.snapshot, folder, folder_prefix(location, folder), present_files(location, folder)
    )


def _read_remote_headers(
    snapshot: Snapshot, folder: Path, prefix: str, present: frozenset[str]
) -> WeightHeaders | None:
    """Read headers from the cache where the files are in it, else by byte ranges from the Hub."""

    def open_source(name: str) -> ByteSource:
        path = folder / name
        return FileSource(path, name) if exists(path) else snapshot.open(prefix + name)

    if not snapshot.online:
        try:
            return read_local(folder)
        except MissingWeightsError:
            return None  # Only the index was downloaded so far; that is no fault of the checkpoint.
    if SINGLE_FILE in present:
        return read_single(open_source(SINGLE_FILE), first_read=_REMOTE_FIRST_READ)
    if INDEX_FILE in present:
        return read_indexed(read_bytes(folder / INDEX_FILE), open_source, first_read=_REMOTE_FIRST_READ)
    return None


def folder_prefix(location: Location, folder: Path) -> str:
    """What stands before the names of a folder's files in the repository: empty, or a path with a slash at its end."""
    relative = folder.relative_to(location.folder).as_posix()
    return "" if relative == "." else f"{relative}/"


def present_files(location: Location, folder: Path) -> frozenset[str]:
    """Names of the files beside config.json, those included that are on the Hub and not yet in the cache."""
    if location.snapshot is None:
        return frozenset(path.name for path in folder.iterdir())
    prefix = folder_prefix(location, folder)
    return frozenset(name.removeprefix(prefix) for name in location.snapshot.files if name.startswith(prefix))
