"""Texts from a file or a pipe, one at a time: a text a line, or a JSON object a line with `text`, `pair` and `id`."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError, UsageError
from bertshape.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, NoReturn

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is no text, and is not read into memory; one of JSON takes 600 MB at most, once parsed."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIELDS = frozenset({"text", "pair", "id"})


@dataclass(frozen=True)
class Record:
    """One text of a file.

    Attributes:
        line: Number of its line, from 1.
        text: The text.
        pair: The second text, or None.
        id: What the file calls it, or None.
    """

    line: int
    text: str
    pair: str | None = None
    id: str | int | None = None


@contextmanager
def open_texts(path: str) -> Iterator[tuple[BinaryIO, str]]:
    """The bytes of a file, or of stdin for `-`, and the name that messages use.

    Raises:
        UsageError: The file cannot be opened.
    """
    if path == "-":
        yield sys.stdin.buffer, "stdin"
        return
    try:
        stream = open(path, "rb")  # noqa: SIM115 - closed below; an error of opening is told from those of the work
    except OSError as error:
        raise _unreadable(path, error) from error
    with stream:
        yield stream, path


def read_lines(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Lines with their ends, without a byte order mark.

    Raises:
        UsageError: The file cannot be read on, or a line is too long.
    """
    number = 0
    while True:
        try:
            content = stream.readline(MAX_LINE_BYTES + 1)
        except OSError as error:
            raise _unreadable(name, error) from error
        if not content:
            return
        number += 1
        if len(content) > MAX_LINE_BYTES:
            _refuse(name, number, f"is longer than {MAX_LINE_BYTES // 1024 // 1024} MiB", "Split it into texts.")
        yield content.removeprefix(_BYTE_ORDER_MARK) if number == 1 else content


def _unreadable(name: str, error: OSError) -> UsageError:
    hint = "Check the path; - reads stdin."
    return UsageError(f"cannot read {name}: {error.strerror or error}", hint=hint, code="file-unreadable")


def read_records(stream: BinaryIO, name: str) -> Iterator[Record]:
    """Read texts, holding one line at a time.

    Lines are JSON where the name ends in .jsonl or .ndjson, or where the first line is a JSON object with a `text`.
    Every line of a text file is a text, empty ones included; empty lines of JSON are passed over.

    Args:
        stream: The bytes.
        name: Name of the file, for messages.

    Raises:
        UsageError: The file cannot be read on, or a line is too long, not UTF-8 or no such object; the message names
            it.
    """
    is_json: bool | None = True if name.lower().endswith((".jsonl", ".ndjson")) else None
    for line, content in enumerate(read_lines(stream, name), start=1):
        content = content.removesuffix(b"\n").removesuffix(b"\r")
        if is_json is None:
            is_json = _looks_like_json(content)
        if is_json and content.strip():
            yield _from_json(content, name, line)
        elif not is_json:
            yield Record(line, _decode(content, name, line))


def _looks_like_json(content: bytes) -> bool:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("text"), str)


def _decode(content: bytes, name: str, line: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        what = f"is not UTF-8: {error.reason} 0x{content[error.start]:02x} at byte {error.start + 1}"
        _refuse(name, line, what, "Convert the file to UTF-8.")


def _from_json(content: bytes, name: str, line: int) -> Record:
    try:
        value = parse_object(content, subject="it", code="line")
    except CheckpointError as error:
        _refuse(name, line, f"is no record: {error.message}", 'Write {"text": "..."} on each line.')
    text, pair, given = value.get("text"), value.get("pair"), value.get("id")
    if not isinstance(text, str):
        _refuse(name, line, 'has no "text" (a string)', 'Write {"text": "..."} on each line.')
    if pair is not None and not isinstance(pair, str):
        _refuse(name, line, '"pair" is not a string', "Leave it out, or write a string.")
    if isinstance(given, bool) or not isinstance(given, str | int | None):
        _refuse(name, line, '"id" is neither a string nor a number', "Leave it out, or write one of the two.")
    return Record(line, text, pair, given)


def _refuse(name: str, line: int, what: str, hint: str) -> NoReturn:
    raise UsageError(f"{name}, line {line} {what}", hint=hint, code="line-invalid")
