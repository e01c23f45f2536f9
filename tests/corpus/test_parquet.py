"""Parquet: strings of several kinds, nulls, bytes that are no text, and files that are made to fill the memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest

from bertshape.corpus import parquet
from bertshape.corpus.read import read_all_lines, read_records
from bertshape.corpus.text_file import BadRecord, TextFile
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, columns: dict[str, Any], **options: Any) -> str:
    path = folder / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path, **options)
    return str(path)


@pytest.mark.parametrize(
    "kind",
    [
        pyarrow.large_string(),
        pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
        pyarrow.binary(),
        pyarrow.large_binary(),
    ],
    ids=str,
)
def test_strings_come_in_several_kinds(kind: pyarrow.DataType, tmp_path: Path) -> None:
    path = write(tmp_path, {"text": pyarrow.array(["a b", "naïve", "a b"]).cast(kind)})
    assert [(record.text, record.line) for record in read_records(TextFile(path))] == [
        ("a b", 1),
        ("naïve", 2),
        ("a b", 3),
    ]


def test_other_columns_are_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": ["a"], "number": [1], "list": [[1]]})
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"text_column": "number"}, r"a\.parquet: its column 'number' holds int64, and not texts"),
        ({"pair_column": "number"}, "'number' holds int64"),
        ({"id_column": "list"}, "'list' holds list<.*>, and not strings or whole numbers"),
        ({"text_column": "x"}, "no column 'x'"),
    )
    for options, words in cases:
        with pytest.raises(UsageError, match=words):
            next(iter(read_records(TextFile(path, **options))))


def test_an_id_of_another_kind_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": ["a"], "id": [1.5], "key": [3]})
    assert [record.id for record in read_records(TextFile(path))] == [None]
    assert [record.id for record in read_records(TextFile(path, id_column="key"))] == [3]


def test_rows_without_a_text_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": ["a", None, "c"], "pair": [None, "x", "y"], "id": ["p", "q", None]})
    found = list(read_all_lines(TextFile(path)))
    assert isinstance(found[1], BadRecord)
    assert (found[1].line, found[1].id) == (2, "q")
    assert "a.parquet, row 2 holds nothing in 'text'" in found[1].error.message
    kept = [(record.text, record.pair, record.id) for record in found if not isinstance(record, BadRecord)]
    assert kept == [("a", None, "p"), ("c", "y", None)]


def test_rows_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    """Parquet does not check it. The row is named, behind some batches of good ones, and what follows it is read."""
    good, bad = b"ab" * 700, b"a\xffzz"
    offsets = b"".join(number.to_bytes(4, "little") for number in [*range(0, 1401, 2), 1402, 1404])
    column = pyarrow.Array.from_buffers(
        pyarrow.string(), 702, [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(good + bad)]
    )
    found = list(read_all_lines(TextFile(write(tmp_path, {"text": column}))))
    assert [record.line for record in found if isinstance(record, BadRecord)] == [701]
    assert isinstance(found[700], BadRecord)
    assert "row 701 is not UTF-8: invalid start byte 0xff at byte 2" in found[700].error.message
    assert not isinstance(found[701], BadRecord)


def test_a_text_that_stands_in_every_row_does_not_multiply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored once; a batch of 256 rows of 1 MB would hold 256 MB."""
    path = write(tmp_path, {"text": ["x" * 1_000_000] * 300})
    with pyarrow.parquet.ParquetFile(path) as opened, open(path, "rb") as stream:
        part = opened.metadata.row_group(0).column(0)
        assert part.total_uncompressed_size < 1_100_000
        assert parquet._dictionary_bytes(stream, part) == 1_000_004
        assert parquet._batch_rows(opened, stream, ["text"], TextFile(path)) == 64 * 1024 * 1024 // 1_000_004
    assert sum(len(record.text) for record in read_records(TextFile(path))) == 300_000_000


def test_columns_that_expand_without_measure_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "FREE_EXPANSION", 1_000_000)
    texts = [f"{number}" + "x" * 100_000 for number in range(30)]
    path = write(tmp_path, {"text": texts}, compression="zstd", use_dictionary=False)
    with pytest.raises(UsageError, match="bytes of 'text' expand to"):
        next(iter(read_records(TextFile(path))))


def test_texts_longer_than_any_line_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_BYTES", 100)
    found = list(read_all_lines(TextFile(write(tmp_path, {"text": ["a" * 101, "b"]}))))
    assert [isinstance(record, BadRecord) for record in found] == [True, False]


def test_pipes_are_refused(tmp_path: Path) -> None:
    """Parquet is read from its end; a pipe would hang, or be held in memory whole."""
    path = tmp_path / "a.parquet"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(UsageError, match="no regular file"):
            next(iter(read_records(TextFile(str(path)))))
    finally:
        os.close(keep)


@pytest.mark.parametrize(("name", "words"), [("a.parquet", "cannot read"), ("a.parquet.gz", "Parquet inside gzip")])
def test_files_that_are_no_parquet_are_refused(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PAR1 no")
    with pytest.raises(UsageError, match=words):
        next(iter(read_records(TextFile(str(tmp_path / name)))))
