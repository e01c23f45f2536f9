"""The header of one safetensors file, checked as strictly as the library checks it when it loads the file.

What a header may cost is bounded: only one that is there in full is read, at most 100 MB, and only one of at most
`MAX_VALUES` values is parsed: 1 GB of memory in the worst case, 70 MB where a file only claims to have 100 MB of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from math import prod
from operator import mul
from typing import TYPE_CHECKING, TypeGuard

from bertshape.checkpoint.tensors import DTYPES, FileHeader, TensorInfo
from bertshape.errors import CheckpointError
from bertshape.strict_json import MAX_INTEGER, check_values, parse_object, quoted
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.checkpoint.byte_source import ByteSource

LENGTH_BYTES = 8
"""A file begins with the length of the header: 64 bits, unsigned, little-endian."""
MAX_HEADER_BYTES = 100_000_000
"""The library's own limit (`MAX_HEADER_SIZE` in its `tensor.rs`)."""

_DOWNLOAD_AGAIN = "Download the file again, and compare its size with the original."
_WRITE_AGAIN = "Write the file again with the safetensors library, or download it again."
_FOREIGN = {
    b"version ": ("a Git LFS pointer", "Run `git lfs pull` in the checkpoint's folder."),
    b"PK\x03\x04": ("a zip archive, as torch.save writes", "Load it with torch, and save it with safetensors."),
    b"<": ("an HTML or XML page", "Download the file itself, not the page about it."),
}
"""Beginnings of files that are often found under the name of a weight file: what they are, and what to do."""


def read_header(source: ByteSource, *, first_read: int = LENGTH_BYTES) -> FileHeader:
    """Read and check the header of one file.

    Args:
        source: The file.
        first_read: Bytes to ask for at first. The default fetches no byte too many; where a read is a round trip,
            some 100,000 normally fetch length and header at once.

    Raises:
        CheckpointError: The file is not a sound safetensors file; the codes begin with `weights-`.
    """
    if source.size < LENGTH_BYTES:
        raise CheckpointError(
            f"{source.name} is cut off: it has {counted(source.size, 'byte')}, "
            "and the length of its header alone takes 8",
            hint=_DOWNLOAD_AGAIN,
            code="weights-header-truncated",
        )
    data = _fetch(source, 0, min(max(first_read, LENGTH_BYTES), source.size))
    end = LENGTH_BYTES + _header_length(source, data[:LENGTH_BYTES])
    bytes_read, header = max(len(data), end), data[LENGTH_BYTES:end]
    if len(data) < end:
        # Nothing is copied where nothing of the header was read: it may be large.
        header += _fetch(source, len(data), end - len(data))
    document = _document(header, source.name)
    metadata = _metadata(document.pop("__metadata__", None), source.name)
    entries = [_entry(name, value, source.name) for name, value in document.items()]
    _check_size(source, expected=end + _data_size(entries))
    return FileHeader(
        source.name, source.size, {entry.tensor.name: entry.tensor for entry in entries}, metadata, bytes_read
    )


def _fetch(source: ByteSource, start: int, length: int) -> bytes:
    data = source.read(start, length)
    if len(data) < length:
        raise CheckpointError(
            f"{source.name} is cut off: reading {length:,} bytes from byte {start:,} on gave {len(data):,}, "
            f"though its size is given as {source.size:,}",
            hint=_DOWNLOAD_AGAIN,
            code="weights-header-truncated",
        )
    return data


def _header_length(source: ByteSource, beginning: bytes) -> int:
    length = int.from_bytes(beginning, "little")
    for prefix, (what, hint) in _FOREIGN.items():
        if LENGTH_BYTES + length > min(source.size, MAX_HEADER_BYTES) and beginning.startswith(prefix):
            raise CheckpointError(f"{source.name} is {what}, not weights", hint=hint, code="weights-not-safetensors")
    if not 0 < length <= MAX_HEADER_BYTES:
        raise CheckpointError(
            f"{source.name} gives {length:,} bytes as the length of its header; expected 1 to {MAX_HEADER_BYTES:,}",
            hint="This is no safetensors file, or its beginning is damaged. " + _DOWNLOAD_AGAIN,
            code="weights-header-length",
        )
    if LENGTH_BYTES + length > source.size:
        raise CheckpointError(
            f"{source.name} is cut off: it has {source.size:,} bytes, its header alone takes {LENGTH_BYTES + length:,}",
            hint=_DOWNLOAD_AGAIN,
            code="weights-header-truncated",
        )
    return length


def _document(header: bytes, file: str) -> dict[str, object]:
    if not header.startswith(b"{"):
        raise CheckpointError(
            f"the header of {file} begins with {quoted(header[:8])}; expected '{{'",
            hint=_WRITE_AGAIN,
            code="weights-header-json",
        )
    check_values(header, subject=f"the header of {file}", code="weights-header")
    return parse_object(header, subject=f"the header of {file}", code="weights-header")


def _metadata(value: object, file: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CheckpointError(
            f"{file} has {quoted(value)} as __metadata__; expected an object of strings",
            hint=_WRITE_AGAIN,
            code="weights-header-metadata",
        )
    for key, text in value.items():
        if not isinstance(text, str):
            raise CheckpointError(
                f"{file} has {quoted(text)} as __metadata__ {quoted(key)}; expected a string",
                hint=_WRITE_AGAIN,
                code="weights-header-metadata",
            )
    return value


@dataclass(frozen=True)
class _Entry:
    """One tensor of a header, and the place of its data, counted from the end of the header."""

    tensor: TensorInfo
    begin: int
    end: int


def _refusal(file: str, name: str, subject: str, problem: str) -> CheckpointError:
    return CheckpointError(
        f"{file}: tensor {quoted(name)} {problem}", hint=_WRITE_AGAIN, code=f"weights-tensor-{subject}"
    )


def _entry(name: str, value: object, file: str) -> _Entry:
    refusal = partial(_refusal, file, name)
    # Further keys are ignored, as the library does.
    if not isinstance(value, dict) or not {"dtype", "shape", "data_offsets"} <= value.keys():
        raise refusal("entry", f"is {quoted(value)}; expected an object of dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise refusal("dtype", f"has dtype {quoted(dtype)}; expected one of {', '.join(DTYPES)}")
    if not _are_sizes(shape):
        raise refusal("shape", f"has shape {quoted(shape)}; expected a list of non-negative integers")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise refusal("offsets", f"has data_offsets {quoted(offsets)}; expected begin and end, begin not above end")
    torch_dtype, bits = DTYPES[dtype]
    tensor = TensorInfo(name, torch_dtype, tuple(shape), file)
    described = f"dtype {dtype} and shape {quoted(shape)}"
    if _overflows(tensor.shape, bits):
        raise refusal("shape", f"has {described}: more bits than a 64-bit number can count")
    if tensor.elements * bits % 8:
        raise refusal("shape", f"has {described}: {tensor.elements * bits:,} bits; expected whole bytes")
    begin, end = offsets
    if end - begin != tensor.bytes:
        raise refusal("offsets", f"has {end - begin:,} bytes of data; its {described} take {tensor.bytes:,}")
    return _Entry(tensor, begin, end)


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    # type() and not isinstance(): True is no size.
    return isinstance(value, list) and all(type(size) is int and 0 <= size <= MAX_INTEGER for size in value)


def _overflows(shape: tuple[int, ...], bits: int) -> bool:
    """Whether the library, which multiplies in 64 bits, gives up at any step: a later 0 does not undo an overflow."""
    return any(count > MAX_INTEGER for count in accumulate(shape, mul)) or prod(shape) * bits > MAX_INTEGER


def _data_size(entries: Iterable[_Entry]) -> int:
    """Bytes of data that the header promises; refuses data that overlaps or leaves holes."""
    position = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != position:
            problem = "leaves a hole" if entry.begin > position else "overlaps another tensor"
            problem = f"{problem}: it begins at byte {entry.begin:,}; expected {position:,}, where the data so far ends"
            raise _refusal(entry.tensor.file, entry.tensor.name, "offsets", problem)
        position = entry.end
    return position


def _check_size(source: ByteSource, *, expected: int) -> None:
    if source.size == expected:
        return
    cut = source.size < expected
    raise CheckpointError(
        f"{source.name} {'is cut off' if cut else 'goes on after its last tensor'}: "
        f"it has {source.size:,} bytes, its header promises {expected:,}",
        hint=_DOWNLOAD_AGAIN,
        code="weights-file-truncated" if cut else "weights-file-trailing",
    )
