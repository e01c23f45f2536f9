"""Rows of a Parquet file -> records, some at a time. Imported where there is such a file: pyarrow may be absent."""

from __future__ import annotations

import os
import re
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

from pyarrow import ArrowException, types
from pyarrow.parquet import ParquetFile

from bertshape.corpus.byte_lines import FREE_EXPANSION, MAX_EXPANSION, is_regular, open_bytes
from bertshape.corpus.formats import named_columns
from bertshape.corpus.text_file import MAX_BYTES, Record, bad_record, missing_column, not_utf8, unreadable
from bertshape.errors import one_line
from bertshape.strict_json import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from bertshape.corpus.meter import Meter
    from bertshape.corpus.text_file import BadRecord, TextFile
    from bertshape.errors import UsageError

_ROLES = ("texts", "texts", "strings or whole numbers")
_ID = 2
_HEADER = re.compile(rb"\x15[\x80-\xff]*[\x00-\x7f]\x15([\x80-\xff]*[\x00-\x7f])", re.DOTALL)
_ROWS = 256
_BATCH_BYTES = 64 * 1024 * 1024
_BUFFER = 1024 * 1024


def read_parquet(file: TextFile, meter: Meter | None = None) -> Iterator[Record | BadRecord]:
    """Rows of a Parquet file, in their order.

    Raises:
        UsageError: The file cannot be read or lacks a column, or a column holds no texts.
    """
    if file.compressed:
        raise unreadable(file, "it is Parquet inside gzip", "Expand it: gzip -d FILE. Parquet is compressed itself.")
    if os.path.exists(file.path) and not os.path.isfile(file.path):
        raise _no_file(file)  # Opening a pipe would wait for a writer.
    with open_bytes(file, meter) as stream:
        if not is_regular(stream):
            raise _no_file(file)
        try:
            # With a buffer a row group is streamed; without one all of a column's part of it would be held.
            with ParquetFile(stream, buffer_size=_BUFFER) as opened:
                if meter is not None:
                    meter.count_rows(opened.metadata.num_rows)
                yield from _rows(opened, stream, file)
        except (ArrowException, OSError) as error:
            hint = "Check the path, and that it is a Parquet file."
            raise unreadable(file, one_line(error), hint) from error


def _no_file(file: TextFile) -> UsageError:
    return unreadable(file, "Parquet is read from its end, and this is no regular file", "Write it to a file.")


def _rows(opened: Any, stream: BinaryIO, file: TextFile) -> Iterator[Record | BadRecord]:
    columns = _columns(opened.schema_arrow, file)
    chosen = [column for column in columns if column is not None]
    row = 0
    for batch in opened.iter_batches(batch_size=_batch_rows(opened, stream, chosen, file), columns=chosen):
        parts = [repeat(None) if name is None else _values(batch.column(name)) for name in columns]
        for values in islice(zip(*parts, strict=False), batch.num_rows):
            row += 1
            yield _record(file, row, values)


def _columns(schema: Any, file: TextFile) -> list[str | None]:
    """Names of the columns of texts, pairs and ids.

    Raises:
        UsageError: One that was named is not there, is there twice, or holds something else.
    """
    columns: list[str | None] = []
    for role, (column, wanted) in enumerate(named_columns(file)):
        count = schema.names.count(column)
        if count > 1:
            raise unreadable(file, f"it has {count} columns {quoted(column)}", "Rename one of them.")
        if not count and wanted:
            raise missing_column(file, column, schema.names)
        fits = count and _fits(schema.field(column).type, integers=role == _ID)
        if count and not fits and (wanted or role != _ID):
            what = f"its column {quoted(column)} holds {schema.field(column).type}, and not {_ROLES[role]}"
            raise unreadable(file, what, f"Name another column with --{('text', 'pair', 'id')[role]}-column.")
        columns.append(column if fits else None)
    return columns


def _fits(kind: Any, *, integers: bool) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    if integers and types.is_integer(kind):
        return True
    # Some writers do not say of their bytes that they are UTF-8; whether they are is seen row by row.
    names = (
        "is_string",
        "is_large_string",
        "is_string_view",
        "is_binary",
        "is_large_binary",
        "is_binary_view",
        "is_null",
    )
    return any(getattr(types, name)(kind) for name in names if hasattr(types, name))


def _values(column: Any) -> list[Any]:
    """Values of some rows; an error stands in the place of a string that is not UTF-8, which Parquet does not check."""
    if hasattr(column, "dictionary"):
        entries = _values(column.dictionary)  # Each is made once, however many rows hold it.
        return [None if index is None else entries[index] for index in column.indices.to_pylist()]
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return list(map(_value, column))


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error


def _record(file: TextFile, row: int, values: tuple[Any, ...]) -> Record | BadRecord:
    decoded = []
    for value in values:
        try:
            decoded.append(value.decode() if isinstance(value, bytes) else value)
        except UnicodeDecodeError as error:
            decoded.append(error)
    text, pair, given = decoded
    for value in decoded:
        if isinstance(value, UnicodeDecodeError):
            return bad_record(file, row, not_utf8(value), "Convert the column to UTF-8.", unit="row", given=given)
    if text is None:
        what = f"holds nothing in {quoted(file.text_column)}"
        return bad_record(file, row, what, "Drop such rows, or name another column.", unit="row", given=given)
    if max(len(text), len(pair or "")) > MAX_BYTES:
        what = f"holds a text of more than {MAX_BYTES:,} characters"
        return bad_record(file, row, what, "Split it into texts.", unit="row", given=given)
    return Record(row, text, pair, given, "row")


def _batch_rows(opened: Any, stream: BinaryIO, columns: list[str], file: TextFile) -> int:
    """As many rows as take little memory, by what the file says of the sizes of its columns.

    Raises:
        UsageError: The file is small, and made to fill the memory.
    """
    most = 1
    groups = (opened.metadata.row_group(number) for number in range(opened.metadata.num_row_groups))
    for part in (group.column(index) for group in groups for index in range(group.num_columns)):
        if part.path_in_schema not in columns or not part.num_values:
            continue
        expanded = part.total_uncompressed_size
        if expanded > FREE_EXPANSION and expanded > part.total_compressed_size * MAX_EXPANSION:
            what = f"{part.total_compressed_size:,} bytes of {quoted(part.path_in_schema)} expand to {expanded:,}"
            raise unreadable(file, what, "Write it again with smaller row groups.")
        # A value that is stored once, in a dictionary, may stand in every row.
        repeated = _dictionary_bytes(stream, part) if part.has_dictionary_page else 0
        most = max(most, expanded // part.num_values, repeated)
    return max(min(_ROWS, _BATCH_BYTES // most), 1)


def _dictionary_bytes(stream: BinaryIO, part: Any) -> int:
    """Size of the dictionary of a part of a column, from the header of its page, which pyarrow does not show.

    The header is a struct of Thrift's compact protocol: a kind and the size before compression come first, each a field
    of 32 bits (0x15) in zigzag coding.
    """
    stream.seek(part.dictionary_page_offset)
    header = _HEADER.match(stream.read(16))
    if header is None:
        return int(part.total_uncompressed_size)
    return sum(int(byte & 0x7F) << (7 * index) for index, byte in enumerate(bytes(header[1]))) >> 1
