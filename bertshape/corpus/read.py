"""The one reader of texts: a file of any format -> its records, one at a time, in memory that does not grow with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.corpus.byte_lines import open_bytes
from bertshape.corpus.formats import read_table, read_text_lines
from bertshape.corpus.text_file import BadRecord, Record, TextFile
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from bertshape.corpus.meter import Meter

CHUNK = 2000
"""Most records that are held at a time."""
CHUNK_CHARACTERS = 1_000_000
"""Characters from which no more records are held: a token costs the tokenizer some hundred bytes while it works."""


def read_records(file: TextFile, meter: Meter | None = None) -> Iterator[Record]:
    """Read the texts of a file.

    Args:
        file: The file.
        meter: Follows how far it is read.

    Raises:
        UsageError: The file cannot be read, or a line is no text; the message names both.
    """
    for record in read_all_lines(file, meter):
        if isinstance(record, BadRecord):
            raise record.error
        yield record


def read_all_lines(file: TextFile, meter: Meter | None = None) -> Iterator[Record | BadRecord]:
    """Read the texts of a file, and what is wrong with the lines that hold none.

    Args:
        file: The file.
        meter: Follows how far it is read.

    Raises:
        UsageError: The file cannot be read, or not be read on.
    """
    for record in _parquet(file, meter) if file.format == "parquet" else _opened(file, meter):
        if meter is not None:
            meter.texts += 1
        yield record


def read_stream(stream: BinaryIO, file: TextFile) -> Iterator[Record | BadRecord]:
    """The same for bytes that are opened already; not for Parquet."""
    return (read_table if file.format in ("csv", "tsv") else read_text_lines)(stream, file)


def in_chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The same records, as many at a time as are worth a call of the tokenizer and fit in little memory."""
    chunk: list[Record] = []
    characters = 0
    for record in records:
        chunk.append(record)
        characters += len(record.text) + len(record.pair or "")
        if len(chunk) >= CHUNK or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _opened(file: TextFile, meter: Meter | None) -> Iterator[Record | BadRecord]:
    with open_bytes(file, meter) as stream:
        yield from read_stream(stream, file)


def _parquet(file: TextFile, meter: Meter | None) -> Iterator[Record | BadRecord]:
    try:
        from bertshape.corpus.parquet import read_parquet  # pyarrow is an extra, and takes 0.2 s to import.
    except ImportError as error:
        hint = "Install it: python -m pip install pyarrow."
        raise UsageError(f"{file.name}: Parquet files need pyarrow", hint=hint, code="pyarrow-missing") from error
    return read_parquet(file, meter)
