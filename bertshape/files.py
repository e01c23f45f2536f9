"""Small files of a checkpoint, read strictly: bounded, UTF-8, one JSON object, no name twice, no NaN."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 8_000_000
"""No configuration comes near this size; a larger file is something else, and is not read into memory."""


def read_text(path: Path) -> str:
    """Read a whole small text file.

    Raises:
        CheckpointError: The file cannot be read, is too large, or is not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _invalid(path, f"is {size:,} bytes long; a configuration has at most {MAX_BYTES:,}")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(path, f"is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        hint = "Check the path and its permissions."
        raise CheckpointError(
            f"cannot read {path}: {error.strerror or error}", hint=hint, code="file-unreadable"
        ) from error


def read_json(path: Path) -> object:
    """Read one JSON value, refusing what JSON readers silently mend.

    Raises:
        CheckpointError: The file cannot be read or is not strict JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _invalid(path, f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise _invalid(path, "is nested too deeply to be a configuration") from error
    except ValueError as error:
        raise _invalid(path, f"is not valid: {error}") from error


def read_json_object(path: Path) -> dict[str, object]:
    """Read a JSON file that must hold one object.

    Raises:
        CheckpointError: The file cannot be read, or holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise _invalid(path, f"holds a JSON {_json_type(value)}, expected an object")
    return value


def read_optional_object(path: Path) -> dict[str, object]:
    """Read a JSON object from a file that need not exist; an absent file gives an empty object."""
    return read_json_object(path) if path.exists() else {}


def _invalid(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} {what}", hint="Restore the file, or download the checkpoint again.", code="file-invalid"
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return result


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _json_type(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names[type(value)]
