"""Texts of files of several formats, some thousands at a time, in memory that does not grow with the file."""

from __future__ import annotations

import csv
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bertshape.corpus.records import MAX_LINE_BYTES, open_texts, read_lines, read_records
from bertshape.errors import UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO, NoReturn

Text = str | tuple[str, str]
"""A text, or a text and its pair."""
CHUNK = 2000
"""Most texts that are held at a time."""
CHUNK_CHARACTERS = 1_000_000
"""Characters from which no more texts are held: a token costs the tokenizer some hundred bytes while it works."""
_PARQUET_ROWS = 256
_PARQUET_BUFFER = 1024 * 1024


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
    return in_chunks(texts)


def in_chunks(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """The same texts, as many at a time as are worth a call of the tokenizer and fit in little memory."""
    chunk: list[Text] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += len(text) if isinstance(text, str) else len(text[0]) + len(text[1])
        if len(chunk) >= CHUNK or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _opened(path: str, ending: str, column: str) -> Iterator[Text]:
    with open_texts(path) as (stream, name):
        if ending in (".csv", ".tsv"):
            yield from _csv(stream, name, column, "\t" if ending == ".tsv" else ",")
        else:
            yield from _records(stream, name)


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
    for number, content in enumerate(read_lines(stream, name), start=1):
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
        # With a buffer a row group is streamed; without one all of a column's part of it would be held.
        with ParquetFile(path, buffer_size=_PARQUET_BUFFER) as file:
            if column not in file.schema_arrow.names:
                there = ", ".join(file.schema_arrow.names)
                hint = f"Pass --column with one of: {there}."
                raise UsageError(f"{path} has no column {column!r}", hint=hint, code="column-missing")
            row = 0
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=[column]):
                for value in _values(batch.column(0), path, row):
                    row += 1
                    yield _text(value, path, row, column)
    except (ArrowException, OSError) as error:
        hint = "Check the path, and that it is a Parquet file."
        raise UsageError(f"cannot read {path}: {one_line(error)}", hint=hint, code="file-unreadable") from error


def _values(column: Any, path: str, before: int) -> list[Any]:
    """Values of some rows; Parquet's strings are not held to UTF-8 by those who write them."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        for row, value in enumerate(column, start=before + 1):
            try:
                value.as_py()
            except UnicodeDecodeError as error:
                what = f"{path}, row {row} is not UTF-8: {error.reason} at byte {error.start + 1}"
                raise UsageError(what, hint="Convert the column to UTF-8.", code="line-invalid") from error
        raise


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
