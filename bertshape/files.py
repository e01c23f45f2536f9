"""Small files of a checkpoint, read strictly and never beyond a bound."""

from __future__ import annotations

import stat
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.strict_json import parse, parse_object

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 8_000_000
"""No configuration comes near this size; a larger file is something else, and is not read into memory."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_bytes(path: Path) -> bytes:
    """Read a whole small file, without a byte order mark; JSON of `MAX_BYTES` takes 300 MB at most, once parsed.

    Raises:
        CheckpointError: The file cannot be read, is no regular file, or is too large.
    """
    try:
        check_file(path, MAX_BYTES, "a configuration")
        return path.read_bytes().removeprefix(_BYTE_ORDER_MARK)
    except OSError as error:
        hint = "Check the path and its permissions."
        raise CheckpointError(
            f"cannot read {path}: {error.strerror or error}", hint=hint, code="file-unreadable"
        ) from error


def check_file(path: Path, most: int, what: str) -> None:
    """Refuse what is no file, or too large a one, before it is opened.

    Opening a pipe would wait for a writer for ever, and a device has no end.

    Args:
        path: The file; a folder is left to the error of opening it.
        most: Bytes that it may have.
        what: What has no more than these, for the message.

    Raises:
        CheckpointError: It is a pipe, a device or a socket, or too large.
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
        return read_bytes(path).decode()
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
    return read_json_object(path) if path.exists() else {}
