"""Lines, JSON lines, CSV and TSV -> records. Parquet, which is no lines, has a module of its own."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from bertshape.corpus.byte_lines import hint_for, read_lines, too_long
from bertshape.corpus.text_file import (
    MAX_BYTES,
    BadRecord,
    Record,
    bad_record,
    hint_of_names,
    missing_column,
    not_utf8,
    unreadable,
)
from bertshape.errors import CheckpointError, one_line
from bertshape.strict_json import parse_object, quoted
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from bertshape.corpus.text_file import TextFile

_WRITE_JSON = 'Write {"text": "..."} on each line.'


def read_text_lines(stream: BinaryIO, file: TextFile) -> Iterator[Record | BadRecord]:
    """One text per line, empty lines included.

    Lines are JSON where the format says so, or where the first is an object with a text and no format was named.
    """
    if file.format == "jsonl":
        is_json: bool | None = True
    else:
        is_json = False if file.input_format == "txt" else None
    beginning = b""
    for line, content in enumerate(read_lines(stream, file), start=1):
        if isinstance(content, BadRecord):
            yield content
            continue
        bare = content.removesuffix(b"\n").removesuffix(b"\r")
        beginning = beginning or bare[:8]
        if is_json is None:
            is_json = _looks_like_json(bare, file.text_column)
        if not is_json:
            yield _from_line(bare, file, line, beginning)
        elif bare.strip():
            yield _from_json(bare, file, line)


def _looks_like_json(content: bytes, key: str) -> bool:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get(key), str)


def _from_line(content: bytes, file: TextFile, line: int, beginning: bytes) -> Record | BadRecord:
    try:
        return Record(line, content.decode())
    except UnicodeDecodeError as error:
        return bad_record(file, line, not_utf8(error), hint_for(beginning))


def _from_json(content: bytes, file: TextFile, line: int) -> Record | BadRecord:
    try:
        value = parse_object(content, subject="it", code="line")
    except CheckpointError as error:
        return bad_record(file, line, f"is no record: {error.message}", _WRITE_JSON)
    given = value.get(file.id_column or "id")
    for key in (file.pair_column, file.id_column):
        if key is not None and key not in value:
            return _lacks(file, line, key, value, given)
    text, pair = value.get(file.text_column), value.get(file.pair_column or "pair")
    if not isinstance(text, str):
        others = [name for name, other in value.items() if isinstance(other, str)]
        if file.text_column not in value and file.text_column != "text":
            return _lacks(file, line, file.text_column, value, given)
        hint = hint_of_names(file, file.text_column, others) if others else _WRITE_JSON
        return bad_record(file, line, f'has no "{file.text_column}" (a string)', hint, given=given)
    if pair is not None and not isinstance(pair, str):
        what = f'"{file.pair_column or "pair"}" is not a string'
        return bad_record(file, line, what, "Leave it out, or write a string.", given=given)
    if isinstance(given, bool) or not isinstance(given, str | int | None):
        what = f'"{file.id_column or "id"}" is neither a string nor a whole number'
        return bad_record(file, line, what, "Leave it out, or write one of the two.")
    return Record(line, text, pair, given)


def _lacks(file: TextFile, line: int, key: str, value: Mapping[str, object], given: object) -> BadRecord:
    return bad_record(file, line, f"has no key {quoted(key)}", hint_of_names(file, key, list(value)), given=given)


def read_table(stream: BinaryIO, file: TextFile) -> Iterator[Record | BadRecord]:
    """Rows of CSV, or TSV, under a header."""
    lines = _RowLines(stream, file)
    rows = csv.reader(lines, delimiter="\t" if file.format == "tsv" else ",", strict=True)
    header = _next_row(rows, lines, file) or []
    if lines.bad is not None:
        raise lines.bad.error
    places = _places(file, header)
    while (row := _next_row(rows, lines, file)) is not None:
        if lines.bad is not None:
            yield lines.bad
        elif row:  # An empty line is no row, to every reader of CSV.
            yield _from_row(row, header, places, file, lines.first)


class _RowLines:
    """Decoded lines for the reader of rows, which may take several for one row, and what is wrong with those.

    Attributes:
        first: Number of the first line of the row.
        bad: Why its lines make no row, or None.
    """

    def __init__(self, stream: BinaryIO, file: TextFile) -> None:
        self._lines, self._file = enumerate(read_lines(stream, file), start=1), file
        self._bytes, self._beginning = 0, b""
        self.first, self.bad = 0, None  # type: int, BadRecord | None

    def begin(self) -> None:
        """The next line begins a row."""
        self.first, self.bad, self._bytes = 0, None, 0

    def __iter__(self) -> _RowLines:
        return self

    def __next__(self) -> str:
        number, content = next(self._lines)
        self.first = self.first or number
        if isinstance(content, BadRecord):
            # What follows may be the inside of a quoted field: no later row could be trusted.
            raise content.error
        self._beginning = self._beginning or content[:8]
        self._bytes += len(content)
        if self._bytes > MAX_BYTES:
            raise too_long(self._file, self.first, "begins a row that is longer than").error
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            self.bad = bad_record(self._file, number, not_utf8(error), hint_for(self._beginning))
            return content.decode(errors="replace")


def _next_row(rows: Iterator[list[str]], lines: _RowLines, file: TextFile) -> list[str] | None:
    """The next row, or None at the end.

    Raises:
        UsageError: Its quotes do not match. Nobody can pass over it: what is a row from here on is unknown.
    """
    lines.begin()
    usual = csv.field_size_limit(MAX_BYTES)  # Of the whole process: it is given back before anybody else reads.
    try:
        return next(rows, None)
    except csv.Error as error:
        hint = 'Quote fields as CSV does, with "" for a quote inside; or pass --input-format txt for one text per line.'
        raise bad_record(file, lines.first, f"is no {file.format.upper()}: {one_line(error)}", hint).error from error
    finally:
        csv.field_size_limit(usual)


def _places(file: TextFile, header: Sequence[str]) -> tuple[int, int | None, int | None]:
    """Where text, pair and id stand in a row.

    Raises:
        UsageError: A column that was named is not there, or there twice.
    """
    found: list[int | None] = []
    for column, wanted in named_columns(file):
        if column in header and header.count(column) > 1:
            what = f"it has {header.count(column)} columns {quoted(column)}"
            raise unreadable(file, what, "Rename one of them.")
        if column not in header and wanted:
            raise missing_column(file, column, header)
        found.append(header.index(column) if column in header else None)
    return found[0] or 0, found[1], found[2]


def named_columns(file: TextFile) -> tuple[tuple[str, bool], ...]:
    """Columns of text, pair and id, and whether each must be there."""
    pair, given = file.pair_column, file.id_column
    return (file.text_column, True), (pair or "pair", pair is not None), (given or "id", given is not None)


def _from_row(
    row: list[str], header: Sequence[str], places: tuple[int, int | None, int | None], file: TextFile, line: int
) -> Record | BadRecord:
    if len(row) != len(header):
        # A text with a comma and no quotes would be cut at it without a word.
        what = f"has {counted(len(row), 'field')}, and the header {len(header)}"
        return bad_record(file, line, what, 'Quote a text that holds the delimiter: "...".')
    text, pair, given = places
    return Record(line, row[text], None if pair is None else row[pair], None if given is None else row[given])
