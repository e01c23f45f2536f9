"""Vectors of many texts as a table: Parquet, or an Arrow file; a row for each text, with its id and text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy
import pyarrow
from pyarrow import parquet

from bertshape.errors import UsageError
from bertshape.run.arrays import ABOUT, as_numpy, column_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    import torch

    from bertshape.corpus.text_file import Record
    from bertshape.run.request import Saving


def read_rows(path: Path, rows: Sequence[int]) -> Any:
    """The vectors of some rows of a table, as an array of NumPy.

    Args:
        path: The file.
        rows: Numbers of the rows, the smallest first.
    """
    found, begin, wanted = [], 0, numpy.array(rows)
    for batch in _batches(path):
        here = wanted[(wanted >= begin) & (wanted < begin + batch.num_rows)] - begin
        column = batch.column("vector")
        numbers = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)
        found.append(numbers[here])
        begin += batch.num_rows
    return numpy.concatenate(found)


def _batches(path: Path) -> Iterator[Any]:
    if path.suffix == ".parquet":
        yield from parquet.ParquetFile(path).iter_batches(columns=["vector"])
        return
    with pyarrow.memory_map(str(path)) as source, pyarrow.ipc.open_file(source) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


class Table:
    """Writes a group of rows for each window of texts.

    Columns: `id` (what the file of texts calls it, else the number of its line), `text`, `pair` where texts have one,
    and `vector`; of several arrays each has a column of its name. Vectors are lists of one fixed size.
    """

    def __init__(self, file: BinaryIO, saving: Saving, stack: ExitStack) -> None:
        self._file, self._saving, self._stack = file, saving, stack
        self._writer: Any = None
        self._schema: Any = None

    def write(self, records: Sequence[Record], vectors: Mapping[str, torch.Tensor]) -> None:
        """Write the rows of some more texts.

        Args:
            records: The texts.
            vectors: By the name of the array. Shape of each: (number of texts, size of the vector).

        Raises:
            UsageError: A text has a pair, and none of the many before had one.
        """
        paired = next((record for record in records if record.pair is not None), None)
        columns: dict[str, Any] = {
            "id": pyarrow.array([str(record.line if record.id is None else record.id) for record in records]),
            "text": pyarrow.array([record.text for record in records], pyarrow.string()),
        }
        if self._schema is None:
            with_pairs = paired is not None
        else:
            with_pairs = "pair" in self._schema.names
            if paired is not None and not with_pairs:
                message = f"{paired.place} has a pair, and the texts before have none: a table has the same columns"
                raise UsageError(message, hint="Write .jsonl, or give all texts a pair.", code="pairs-mismatch")
        if with_pairs:
            columns["pair"] = pyarrow.array([record.pair for record in records], pyarrow.string())
        for name, value in zip(column_names(list(vectors)), vectors.values(), strict=True):
            numbers = pyarrow.array(as_numpy(value, wide=True).reshape(-1))
            columns[name] = pyarrow.FixedSizeListArray.from_arrays(numbers, value.shape[1])
        table = pyarrow.table(columns)
        if self._writer is None:
            about = json.dumps({**self._saving.about, "arrays": list(vectors)})
            self._schema = table.schema.with_metadata({ABOUT: about})
            self._writer = self._stack.enter_context(self._open())
        self._writer.write_table(table.cast(self._schema))

    def finish(self) -> None:
        """Nothing: the stack closes the writer, which then writes where its groups of rows are."""

    def _open(self) -> Any:
        if self._saving.path.suffix == ".arrow":
            return pyarrow.ipc.new_file(self._file, self._schema)
        # Numbers of vectors hardly repeat: a dictionary of them costs time and saves nothing.
        return parquet.ParquetWriter(self._file, self._schema, use_dictionary=False, compression="zstd")
