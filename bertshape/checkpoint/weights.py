"""All weight files of a checkpoint: a single one, or shards with an index."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath

from bertshape.checkpoint.byte_source import ByteSource, FileSource, MissingWeightsError
from bertshape.checkpoint.safetensors import LENGTH_BYTES, MAX_HEADER_BYTES, read_header
from bertshape.checkpoint.tensors import FileHeader, TensorInfo, WeightHeaders
from bertshape.errors import CheckpointError
from bertshape.files import POINTER
from bertshape.strict_json import check_values, parse_object, quoted

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"

OpenSource = Callable[[str], ByteSource]
"""Opens the weight file of a name, relative to the checkpoint; raises `MissingWeightsError` if it is not there."""

_INDEX_AGAIN = "Download the index again."


def read_local(folder: Path) -> WeightHeaders | None:
    """Read the weight headers of a checkpoint folder.

    Where a folder has both, the single file goes before the shards, as in transformers.

    Returns:
        The headers, or None when the folder has no safetensors weights.

    Raises:
        CheckpointError: The folder or a file in it cannot be read, or is not sound.
    """

    def open_source(file_name: str) -> FileSource:
        return FileSource(folder / file_name, file_name)

    try:
        present = os.listdir(folder)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise CheckpointError(
            f"the folder {str(folder)!r} cannot be read: {getattr(error, 'strerror', None) or error}",
            hint="Check the path and its permissions.",
            code="weights-folder-unreadable",
        ) from error
    if SINGLE_FILE in present:
        return read_single(open_source(SINGLE_FILE))
    if INDEX_FILE in present:
        return read_indexed(_read_index(open_source(INDEX_FILE)), open_source)
    return None


def read_single(source: ByteSource, *, first_read: int = LENGTH_BYTES) -> WeightHeaders:
    """Read the header of the only weight file of a checkpoint.

    Args:
        source: The file.
        first_read: As in `read_header`.

    Raises:
        CheckpointError: The file is not sound.
    """
    return _combine([read_header(source, first_read=first_read)])


def read_indexed(
    index: str | bytes, open_source: OpenSource, *, index_name: str = INDEX_FILE, first_read: int = LENGTH_BYTES
) -> WeightHeaders:
    """Read the headers of all shards that an index names, and compare them with the index.

    Args:
        index: Content of the index file.
        open_source: Opens a shard.
        index_name: Name of the index, for messages.
        first_read: As in `read_header`.

    Raises:
        CheckpointError: The index or a shard is not sound, shards are missing, or they and the index disagree.
    """
    files = weight_map(index, index_name)
    headers = read_headers(open_source, sorted(set(files.values())), first_read=first_read)
    lacking = [
        name for name, file in files.items() if name not in headers.tensors or headers.tensors[name].file != file
    ]
    if lacking:
        raise CheckpointError(
            f"{index_name} puts tensor {quoted(lacking[0])} in {files[lacking[0]]}, which does not store it "
            f"({len(lacking):,} of {len(files):,} tensors are not where the index says)",
            hint="Index and shards are not of one checkpoint: download them together.",
            code="weights-tensor-missing",
        )
    unlisted = tuple(name for name in headers.tensors if name not in files)
    return replace(headers, unlisted=unlisted)


def read_headers(
    open_source: OpenSource, file_names: Sequence[str], *, first_read: int = LENGTH_BYTES
) -> WeightHeaders:
    """Read the headers of several files that together are a checkpoint.

    Args:
        open_source: Opens a file.
        file_names: Names of the files.
        first_read: As in `read_header`.

    Raises:
        MissingWeightsError: Files are not there; all of them are counted.
        CheckpointError: A file is not sound, or two files store the same tensor.
    """
    return _combine([read_header(source, first_read=first_read) for source in _open_all(open_source, file_names)])


def _combine(headers: Sequence[FileHeader]) -> WeightHeaders:
    tensors: dict[str, TensorInfo] = {}
    metadata: dict[str, str] = {}
    for header in headers:
        for name, tensor in header.tensors.items():
            if name in tensors:
                raise CheckpointError(
                    f"tensor {quoted(name)} is stored twice: in {tensors[name].file} and in {header.name}",
                    hint="Remove the shard that is not part of this checkpoint, or download it again.",
                    code="weights-tensor-twice",
                )
            tensors[name] = tensor
        metadata = {**header.metadata, **metadata}
    return WeightHeaders(
        tensors=tensors,
        files=tuple(header.name for header in headers),
        format="safetensors",
        bytes_read=sum(header.bytes_read for header in headers),
        metadata=metadata,
        total_bytes=sum(header.size for header in headers),
    )


def _open_all(open_source: OpenSource, file_names: Sequence[str]) -> list[ByteSource]:
    """Open every file before reading any, so that one error names all that are absent."""
    sources: list[ByteSource] = []
    absent: list[MissingWeightsError] = []
    for file_name in file_names:
        try:
            sources.append(open_source(file_name))
        except MissingWeightsError as error:
            absent.append(error)
    if absent:
        raise MissingWeightsError(
            f"{len(absent):,} of {len(file_names):,} weight files are missing, the first: {absent[0].message}",
            hint="Download the checkpoint again, with all its shards.",
            code="weights-shard-missing",
        )
    return sources


def _read_index(source: ByteSource) -> bytes:
    if source.size > MAX_HEADER_BYTES:
        raise CheckpointError(
            f"{source.name} has {source.size:,} bytes; expected at most {MAX_HEADER_BYTES:,}",
            hint=_INDEX_AGAIN,
            code="weights-index-size",
        )
    content = source.read(0, source.size)
    if content.startswith(POINTER):
        raise CheckpointError(
            f"{source.name} is a Git LFS pointer, not the file itself: the clone was made without Git LFS",
            hint="Run `git lfs pull` in the checkpoint's folder.",
            code="git-lfs-pointer",
        )
    return content


def weight_map(index: str | bytes, index_name: str) -> dict[str, str]:
    """File of each tensor, by what an index says.

    Raises:
        CheckpointError: It is no index, or leads out of the checkpoint.
    """
    # A lone surrogate becomes bytes that are no UTF-8: refused below, with the rest of what is not JSON.
    data = index.encode(errors="surrogatepass") if isinstance(index, str) else index
    check_values(data, subject=index_name, code="weights-index")
    found = parse_object(data, subject=index_name, code="weights-index").get("weight_map")
    if not isinstance(found, dict) or not found:
        raise CheckpointError(
            f"{index_name} has {quoted(found)} as weight_map; expected an object of tensor and file names",
            hint=_INDEX_AGAIN,
            code="weights-index-map",
        )
    for name, file in found.items():
        if not isinstance(file, str):
            raise CheckpointError(
                f"{index_name} puts tensor {quoted(name)} in {quoted(file)}; expected a file name",
                hint=_INDEX_AGAIN,
                code="weights-index-map",
            )
        if not _is_inside(file):
            raise CheckpointError(
                f"{index_name} puts tensor {quoted(name)} in {quoted(file)}; expected a file inside the checkpoint",
                hint="Do not use this checkpoint unless you know who wrote it.",
                code="weights-shard-outside",
            )
    return found


def _is_inside(file: str) -> bool:
    """Whether a name stays below the checkpoint on every system; Windows' rules cover both kinds of separators."""
    path = PureWindowsPath(file)
    return file.isprintable() and bool(path.parts) and not path.anchor and ".." not in path.parts
