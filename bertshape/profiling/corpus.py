"""Texts of files of several formats, some thousands at a time, in memory that does not grow with the file."""

from __future__ import annotations

import csv
import itertools
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bertshape.errors import UsageError, one_line
from bertshape.records import MAX_LINE_BYTES, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, NoReturn

Text = str | tuple[str, str]
"""A text, or a text and its pair."""
CHUNK = 2000
"""Texts that are held at a time."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_chunks(path: str, column: str) -> Iterator[list[Text]]:
    """Read the texts of a file, by the ending of its name: lines, JSON lines, CSV, TSV or Parquet.

    Args:
        path: The file; `-` reads lines from stdin.
        column: Column of the texts, in CSV, TSV and Parquet files.

    Raises:
        UsageError: The file cannot be read, or a line is no text; the message names it.
    """
    ending = PurePath(path).suffix.lower()
    texts = _parquet(path, column) if ending == ".parquet" else _opened(path, ending, column)
    waiting = iter(texts)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        yield chunk


def _opened(path: str, ending: str, column: str) -> Iterator[Text]:
    if path == "-":
        yield from _records(sys.stdin.buffer, "stdin")
        return
    try:
        stream = open(path, "rb")  # noqa: SIM115 - closed below; an error of opening is told from one of reading
    except OSError as error:
        hint = "Check the path; - reads stdin."
        raise UsageError(f"cannot read {path}: {error.strerror}", hint=hint, code="file-unreadable") from error
    with stream:
        if ending in (".csv", ".tsv"):
            yield from _csv(stream, path, column, "\t" if ending == ".tsv" else ",")
        else:
            yield from _records(stream, path)


def _records(stream: BinaryIO, name: str) -> Iterator[Text]:
    for record in read_records(stream, name):
        yield record.text if record.pair is None else (record.text, record.pair)


def _csv(stream: BinaryIO, name: str, column: str, delimiter: str) -> Iterator[str]:
    csv.field_size_limit(MAX_LINE_BYTES)
    rows = csv.reader(_decoded(stream, name), delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
        if column not in header:
            there = ", ".join(header) or "none"
            hint = f"Pass --column with one of: {there}."
            raise UsageError(f"{name} has no column {column!r}", hint=hint, code="column-missing")
        index = header.index(column)
        for row in rows:
            if not row:
                continue  # An empty line is no row, to every reader of CSV.
            if len(row) <= index:
                _refuse(name, rows.line_num, f"has {len(row)} fields, and {column!r} is number {index + 1}")
            yield row[index]
    except csv.Error as error:
        _refuse(name, rows.line_num, f"is no CSV: {one_line(error)}")


def _decoded(stream: BinaryIO, name: str) -> Iterator[str]:
    """Lines with their ends, which may lie inside a quoted field."""
    number = 0
    while content := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(content) > MAX_LINE_BYTES:
            _refuse(name, number, f"is longer than {MAX_LINE_BYTES // 1024 // 1024} MiB")
        if number == 1:
            content = content.removeprefix(_BYTE_ORDER_MARK)
        try:
            yield content.decode()
        except UnicodeDecodeError as error:
            _refuse(name, number, f"is not UTF-8: 0x{content[error.start]:02x} at byte {error.start + 1}")


def _parquet(path: str, column: str) -> Iterator[str]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        hint = "Install it: python -m pip install pyarrow."
        raise UsageError(f"{path}: Parquet files need pyarrow", hint=hint, code="pyarrow-missing") from error
    try:
        file = ParquetFile(path)
        if column not in file.schema_arrow.names:
            there = ", ".join(file.schema_arrow.names)
            hint = f"Pass --column with one of: {there}."
            raise UsageError(f"{path} has no column {column!r}", hint=hint, code="column-missing")
        row = 0
        for batch in file.iter_batches(batch_size=CHUNK, columns=[column]):
            for value in batch.column(0).to_pylist():
                row += 1
                yield _text(value, path, row, column)
    except (ArrowException, OSError) as error:
        hint = "Check the path, and that it is a Parquet file."
        raise UsageError(f"cannot read {path}: {one_line(error)}", hint=hint, code="file-unreadable") from error


def _text(value: Any, path: str, row: int, column: str) -> str:
    if isinstance(value, str):
        return value
    what = "nothing" if value is None else f"a value of type {type(value).__name__}"
    raise UsageError(
        f"{path}, row {row} holds {what} in {column!r}",
        hint="Drop such rows, or name another column.",
        code="line-invalid",
    )


def _refuse(name: str, line: int, what: str) -> NoReturn:
    raise UsageError(f"{name}, line {line} {what}", hint="Mend the file, or leave the line out.", code="line-invalid")
