"""Small files, read strictly and never beyond a bound; results, written whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
import shlex
import stat
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, BinaryIO

from bertshape.errors import CheckpointError, OutputError
from bertshape.strict_json import parse, parse_object

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 8_000_000
"""No configuration comes near this size; a larger file is something else, and is not read into memory."""
POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1024
"""A pointer is shorter than this, by Git LFS's own rules."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,9})")
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
_unfinished: set[Path] = set()


def read_bytes(path: Path) -> bytes:
    """Read a whole small file; JSON of `MAX_BYTES` takes 300 MB at most, once parsed.

    Raises:
        CheckpointError: The file cannot be read, is no regular file, or is too large.
    """
    try:
        check_file(path, MAX_BYTES, "a configuration")
        return path.read_bytes()
    except OSError as error:
        raise _cannot_read(path, error) from error


def exists(path: Path) -> bool:
    """Whether there is something at a path.

    Raises:
        CheckpointError: The system refuses to look, which is not the same as an absent file.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null byte in the path
        return False
    except OSError as error:
        raise _cannot_read(path, error) from error
    return True


def check_file(path: Path, most: int, what: str) -> None:
    """Refuse what is no file, or too large a one, before it is opened.

    Opening a pipe would wait for a writer forever, and a device has no end.

    Args:
        path: The file; a folder is left to the error of opening it.
        most: Bytes that it may have.
        what: What has no more than these, for the message.

    Raises:
        CheckpointError: It is a pipe, a device or a socket, too large, or a Git LFS pointer.
        OSError: There is nothing, or it cannot be looked at.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise CheckpointError(
            f"{path} is not a regular file", hint="Restore the file from the original.", code="file-unreadable"
        )
    if status.st_size > most:
        raise CheckpointError(
            f"{path} is {status.st_size:,} bytes long; {what} has at most {most:,}",
            hint="Restore the file, or download the checkpoint again.",
            code="file-too-large",
        )
    refuse_pointer(path)


def is_pointer(path: Path) -> bool:
    """Whether a file is what a clone without Git LFS leaves in its place; not where it cannot be looked at."""
    try:
        status = path.stat()
        if status.st_size >= _POINTER_BYTES or not stat.S_ISREG(status.st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(POINTER)) == POINTER
    except OSError:
        return False


def refuse_pointer(path: Path) -> None:
    """Say so where a file is a Git LFS pointer.

    Raises:
        CheckpointError: It is.
    """
    if is_pointer(path):
        raise CheckpointError(
            f"{path} is a Git LFS pointer, not the file itself: the clone was made without Git LFS",
            hint=f"Fetch the files: git -C {shlex.quote(str(path.parent))} lfs pull",
            code="git-lfs-pointer",
        )


def is_inside(name: str) -> bool:
    """Whether a path from a file stays below the folder that it starts in.

    Windows' rules cover both kinds of separators, and a drive leads away on one system alone.
    """
    path = PureWindowsPath(name)
    return name.isprintable() and not path.anchor and ".." not in path.parts


def read_text(path: Path) -> str:
    """Read a whole small text file.

    Raises:
        CheckpointError: The file cannot be read, is too large, or is not UTF-8.
    """
    try:
        return read_bytes(path).removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}",
            hint="Save it again as UTF-8.",
            code="file-not-text",
        ) from error


def read_json(path: Path) -> object:
    """Read one JSON value.

    Raises:
        CheckpointError: The file cannot be read or is not strict JSON.
    """
    return parse(read_bytes(path), subject=str(path), code="file")


def read_json_object(path: Path) -> dict[str, object]:
    """Read a JSON file that must hold one object.

    Raises:
        CheckpointError: The file cannot be read, or holds something else.
    """
    return parse_object(read_bytes(path), subject=str(path), code="file")


def read_optional_object(path: Path) -> dict[str, object]:
    """Read a JSON object from a file that need not exist; an absent file gives an empty object."""
    return read_json_object(path) if exists(path) else {}


def _cannot_read(path: Path, error: OSError) -> CheckpointError:
    hint = "Check the path and its permissions."
    return CheckpointError(f"cannot read {path}: {error.strerror or error}", hint=hint, code="file-unreadable")


class OutputFile(io.FileIO):
    """An open file whose errors are errors of writing, never taken for those of reading."""

    def __init__(self, descriptor: int, name: str, *, closefd: bool = True) -> None:
        super().__init__(descriptor, "wb", closefd=closefd)
        self._shown = name

    def write(self, data: Any, /) -> int:
        """Write bytes.

        Raises:
            OutputError: They cannot be written.
        """
        with output_errors(self._shown):
            return super().write(data)

    def close(self) -> None:
        """Close the file; some file systems say only now that they could not store it.

        Raises:
            OutputError: What was written is not stored.
        """
        with output_errors(self._shown):
            super().close()


class _WholeFile(OutputFile):
    """The same, for NumPy: where it finds a descriptor it writes to that, and loses the reason of a failure."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation


@contextmanager
def output_errors(name: str | Path) -> Iterator[None]:
    """Turn what the system refuses inside the block into an error of writing.

    Raises:
        OutputError: The block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        hint = "Check the path and the space on the disk, or write elsewhere."
        message = f"cannot write {name}: {error.strerror or error}"
        raise OutputError(message, hint=hint, code="output-failed") from error


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place at a path when all is written.

    No reader sees half a file, and a failure leaves what was there. A link stays a link; its target is replaced, with
    the same mode. What cannot be replaced, a pipe, a device or /dev/stdout, is written to directly.

    Args:
        path: Where the result belongs.

    Raises:
        OutputError: It cannot be written.
    """
    target = Path(os.path.realpath(path))
    # Another name for each run, and no longer than it must be: the target's name may already be as long as names get.
    beside = target.with_name(f".{os.urandom(4).hex()}")
    with output_errors(path):
        descriptor = _open_in_place(path)
        replace = descriptor is None
        if descriptor is None:
            _unfinished.add(beside)
            descriptor = _create(beside, target)
    try:
        with io.BufferedWriter(_WholeFile(descriptor, str(path))) as file:
            yield file
        if replace:
            with output_errors(path):
                beside.replace(target)
    finally:
        if replace:
            beside.unlink(missing_ok=True)
            _unfinished.discard(beside)


def remove_unfinished() -> None:
    """Remove the files that are still written to: the process ends without unwinding."""
    for path in tuple(_unfinished):
        path.unlink(missing_ok=True)


def is_replaced(path: Path) -> bool:
    """Whether writing to a path replaces a file that is there: not a pipe, a device or /dev/stdout."""
    return _descriptor(path) is None and os.path.isfile(path)


def folder_of(path: Path | None) -> Path:
    """Folder from which a result names other files: its own, or the working folder for a stream."""
    return Path() if path is None or _descriptor(path) is not None else path.parent


def _descriptor(path: Path) -> int | None:
    """Number of the open descriptor that a path such as /dev/stdout stands for."""
    named = _DESCRIPTOR.fullmatch(str(path))
    return int(named[1]) if named else _STREAMS.get(str(path))


def _open_in_place(path: Path) -> int | None:
    """Descriptor of what cannot be replaced; None for a regular file, and where there is nothing yet."""
    number = _descriptor(path)
    if number is not None:
        return os.dup(number)  # opened by its name, a file behind stdout would be cut to nothing first
    status = _status(path)
    if status is None or stat.S_ISREG(status.st_mode):
        return None
    return os.open(path, os.O_WRONLY)


def _create(beside: Path, target: Path) -> int:
    """A new file with the rights of the one that it replaces, where there is one."""
    old = _status(target)
    effective = os.access in os.supports_effective_ids
    if old is not None and not os.access(target, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))  # protected: the folder's rights do not count
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    if old is not None:
        with suppress(OSError):  # not every file system stores them
            beside.chmod(mode)
    return descriptor


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
