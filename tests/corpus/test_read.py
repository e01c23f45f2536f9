"""The one reader: what files of every format may hold, and what is said where a line is no text."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertshape.corpus import byte_lines
from bertshape.corpus.read import read_all_lines, read_records, read_stream
from bertshape.corpus.text_file import MAX_BYTES, BadRecord, Record, TextFile
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WORDS = st.text(st.characters(exclude_categories=["Cs"]))
IDS = st.none() | st.integers(-(2**62), 2**62) | WORDS


def read(content: bytes, name: str = "texts.txt", **options: Any) -> list[Record]:
    """All records of bytes under a name."""
    records = []
    for record in read_stream(io.BytesIO(content), TextFile(name, **options)):
        if isinstance(record, BadRecord):
            raise record.error
        records.append(record)
    return records


def texts(content: bytes, name: str = "texts.txt", **options: Any) -> list[str]:
    return [record.text for record in read(content, name, **options)]


def refusal(content: bytes, name: str, **options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(content, name, **options)
    return caught.value


def write_every_format(folder: Path, rows: Sequence[tuple[int, str, str]]) -> dict[str, Path]:
    """The same ids, texts and pairs in each format that holds them."""
    names = ("a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.jsonl.gz", "a.CSV.GZ", "a.tsv.gz")
    lines = "".join(json.dumps({"id": key, "text": text, "pair": pair}) + "\n" for key, text, pair in rows)
    content = {"jsonl": lines.encode()}
    for ending, delimiter in (("csv", ","), ("tsv", "\t")):
        table = io.StringIO(newline="")
        csv.writer(table, delimiter=delimiter).writerows([("id", "text", "pair"), *rows])
        content[ending] = b"\xef\xbb\xbf" + table.getvalue().encode()
    for name in names:
        plain = content.get(name.lower().removesuffix(".gz").rpartition(".")[2])
        if plain is not None:
            (folder / name).write_bytes(gzip.compress(plain) if name.lower().endswith(".gz") else plain)
    columns = dict(zip(("id", "text", "pair"), map(list, zip(*rows, strict=True)), strict=True))
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "a.parquet", row_group_size=2)
    return {name: folder / name for name in names}


ROWS = [(7, 'two\nlines, one "quoted"', "pair\twith a tab"), (8, "naïve 東京 🙂", ""), (9, " blanks ", "b")]


def test_every_format_gives_the_same_records(tmp_path: Path) -> None:
    """Text, pair and id by their usual names; quoted newlines, a byte order mark, gz, capitals in the ending."""
    for name, path in write_every_format(tmp_path, ROWS).items():
        found = [(record.id, record.text, record.pair) for record in read_records(TextFile(str(path)))]
        expected = [(str(key) if "sv" in name.lower() else key, text, pair) for key, text, pair in ROWS]
        assert found == expected, name


def test_columns_of_other_names(tmp_path: Path) -> None:
    """A named pair and id; what is not named stays out, whatever else the file has."""
    renamed = [(text, pair, key) for key, text, pair in ROWS]
    for name, path in write_every_format(tmp_path, [(1, "t", "p"), *((8, b, a) for a, b, _ in renamed)]).items():
        file = TextFile(str(path), text_column="pair", pair_column="text", id_column="text")
        first = next(iter(read_records(file)))
        assert (first.text, first.pair, first.id) == ("p", "t", "t"), name


def test_lines_say_where_they_are() -> None:
    content = b'id,text\n1,"a\nb"\n\n2,c\n'
    assert [(record.line, record.place) for record in read(content, "a.csv")] == [(2, "line 2"), (5, "line 5")]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\ufeff"))))
def test_every_line_is_a_text(lines: list[str]) -> None:
    """Empty lines, control characters and line separators of Unicode included."""
    content = "".join(f"{line}\n" for line in lines).encode()
    assert texts(content, input_format="txt") == lines
    if not (lines and lines[0].lstrip().startswith("{")):
        assert texts(content) == lines


@given(st.lists(st.tuples(WORDS, st.none() | WORDS, IDS)))
def test_json_lines_are_read_back(rows: list[tuple[str, str | None, str | int | None]]) -> None:
    lines = [{"text": text, "pair": pair, "id": key} for text, pair, key in rows]
    records = read("".join(json.dumps(line) + "\n" for line in lines).encode(), "texts.jsonl")
    assert [(record.text, record.pair, record.id) for record in records] == rows


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1), st.sampled_from([("csv", ","), ("tsv", "\t")]))
def test_tables_are_read_back(rows: list[tuple[str, str]], form: tuple[str, str]) -> None:
    """Whatever Python's own writer quotes: delimiters, quotes, carriage returns, NUL."""
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=form[1], quoting=csv.QUOTE_ALL).writerows([("text", "other"), *rows])
    assert texts(table.getvalue().encode(), f"a.{form[0]}") == [text for text, _ in rows]


@given(st.binary(max_size=200), st.sampled_from(["a.txt", "a.jsonl", "a.csv", "a.tsv", "a.txt.gz", "a.csv.gz"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    """With the name of the file in the message, and at most one bad record per line."""
    data = gzip.compress(content) if name.endswith(".gz") else content
    assert all(name in message for message in refusals(data, name))


def refusals(data: bytes, name: str) -> list[str]:
    messages = []
    try:
        for record in read_stream(io.BytesIO(data), TextFile(name)):
            messages += [record.error.message] if isinstance(record, BadRecord) else []
    except UsageError as error:
        messages.append(error.message)
    return messages


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"fine\n\xff\n", ["line 2", "UTF-8", "0xff", "byte 1"]),
        ("a.txt", b"x" * (MAX_BYTES + 2), ["line 1", "16 MiB"]),
        ("a.jsonl", b'{"text": "a"}\n{"text": 3}\n', ["line 2", '"text"']),
        ("a.jsonl", b'{"text": "a"}\nnot json\n', ["line 2", "JSON"]),
        ("a.jsonl", b'{"text": "a", "pair": 1}\n', ["line 1", '"pair"']),
        ("a.jsonl", b'{"text": "a", "id": [1]}\n', ["line 1", '"id"']),
        ("a.jsonl", b'{"text": "a", "text": "b"}\n', ["line 1", "twice"]),
        ("a.json", b'[\n{"text": "a"}\n]\n', ["line 1", "no record"]),
        ("a.csv", b"", ["no column 'text'"]),
        ("a.csv", b"id,words\n1,a\n", ["no column 'text'"]),
        ("a.csv", b"text,id,text\n", ["2 columns 'text'"]),
        ("a.csv", b"id,text\n1,\xff\n", ["line 2", "UTF-8"]),
        ("a.csv", b"id,t\xffext\n1,a\n", ["line 1", "UTF-8"]),
        ("a.csv", b"id,text\n1\n", ["line 2", "1 field,", "header 2"]),
        ("a.csv", b"id,text\n1,one, two\n", ["line 2", "3 fields", "header 2"]),
        ("a.csv", b'id,text\n1,"a"b\n', ["line 2", "no CSV"]),
        ("a.tsv", b'id\ttext\n1\t"no end\n', ["line 2", "no TSV"]),
        ("a.csv", b"text\n" + b'"' + b"x\n" * (MAX_BYTES // 2), ["line 2", "16 MiB"]),
        ("a.csv", b"text\n" + b"x" * (MAX_BYTES + 2), ["line 2", "16 MiB"]),
    ],
)
def test_bad_lines_are_named(name: str, content: bytes, words: list[str]) -> None:
    message = refusal(content, name).message
    assert all(word in message for word in (*words, name)), message


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_million_columns_make_no_long_message(name: str) -> None:
    """A header of 1.5 million columns once gave a hint of 17 MB."""
    columns = [f"column{number}" for number in range(300_000)]
    content = ",".join(columns) + "\n" if name == "a.csv" else json.dumps(dict.fromkeys(columns, "x")) + "\n"
    error = refusal(content.encode(), name, text_column="words" * 1000)
    assert "'column0', 'column1'" in error.hint
    assert "299,990 more" in error.hint
    assert len(error.message) + len(error.hint) < 600


def test_named_columns_must_be_there() -> None:
    """A misspelt name would leave pairs and ids out without a word."""
    for option, column in (("pair_column", "pari"), ("id_column", "key")):
        flag = f"--{option.replace('_', '-')}"
        for name, content in (("a.csv", b"text,pair\na,b\n"), ("a.jsonl", b'{"text": "a", "pair": "b"}\n')):
            error = refusal(content, name, **{option: column})
            assert column in error.message
            assert flag in error.hint
            assert "'pair'" in error.hint


def test_marks_and_line_ends_are_taken_off() -> None:
    assert texts(b"\xef\xbb\xbffirst\r\nsecond") == ["first", "second"]
    assert texts(b'{"text": "a"}\n\n{"text": "b"}\n') == ["a", "b"]
    assert texts(b'\n{"text": "a"}\n', "U.JSONL") == ["a"]
    assert texts(b'{"words": "a"}\n', text_column="words") == ["a"]


def test_the_format_may_be_named() -> None:
    assert texts(b'{"text": "a"}\n', input_format="txt") == ['{"text": "a"}']
    assert texts(b"text\na\n", "a.dat", input_format="csv") == ["a"]
    assert texts(b"text\tb\na\tc\n", "-", input_format="tsv") == ["a"]
    assert texts(gzip.compress(b'{"text": "a"}'), "a.txt.gz", input_format="jsonl") == ["a"]


@pytest.mark.parametrize("error_at", [1, 2, 3])
def test_good_lines_follow_bad_ones(error_at: int) -> None:
    """Where bad lines are passed over, the others are read, and the ids of bad ones are kept."""
    lines = [b'{"text": "a", "id": "x"}', b'{"text": "b", "id": "y"}', b'{"text": "c", "id": "z"}']
    bad = [b'{"text": 1, "id": "bad"}', b"\xff", b"x" * (MAX_BYTES + 5)]
    for broken in bad:
        content = b"\n".join([*lines[: error_at - 1], broken, *lines[error_at - 1 :]]) + b"\n"
        found = list(read_stream(io.BytesIO(content), TextFile("a.jsonl")))
        assert [record.text for record in found if isinstance(record, Record)] == ["a", "b", "c"]
        assert [(record.line, record.id) for record in found if isinstance(record, BadRecord)] == [
            (error_at, "bad" if broken == bad[0] else None)
        ]


def test_rows_of_tables_are_passed_over_where_it_is_safe() -> None:
    content = b"id,text\n1,a\n2,b,c\n3,\xff\n4,d\n"
    found = list(read_stream(io.BytesIO(content), TextFile("a.csv")))
    assert [(record.line, isinstance(record, BadRecord)) for record in found] == [
        (2, False),
        (3, True),
        (4, True),
        (5, False),
    ]
    with pytest.raises(UsageError, match="line 2 is no CSV"):
        list(read_stream(io.BytesIO(b'id,text\n1,"a"b\n2,c\n'), TextFile("a.csv")))


def test_the_limit_of_other_readers_of_csv_stays() -> None:
    before = csv.field_size_limit()
    for record in read_stream(io.BytesIO(b"text\na\nb\n"), TextFile("a.csv")):
        assert isinstance(record, Record)
        assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"a\nb\n", mtime=0)[:-6], "after line 2"),
        (b"plain text\n", "Not a gzipped file"),
        (gzip.compress(b"a\n", mtime=0)[:-8] + b"\0" * 8, "CRC"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 20, "after line 0"),
    ],
)
def test_broken_gz_is_named(content: bytes, words: str) -> None:
    error = refusal(content, "a.txt.gz")
    assert error.message.startswith("cannot read a.txt.gz: ")
    assert words in error.message


def test_files_that_expand_without_measure_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty lines are texts: a megabyte of gz could hold a billion of them."""
    monkeypatch.setattr(byte_lines, "FREE_EXPANSION", 500_000)
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"\n" * 2_000_000))
    with pytest.raises(UsageError, match="expand to more than"):
        for _ in read_records(TextFile(str(path))):
            pass
    path.write_bytes(gzip.compress("".join(f"{number}\n" for number in range(100_000)).encode()))
    assert sum(1 for _ in read_records(TextFile(str(path)))) == 100_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"a\n", mtime=0), "gzip"),
        (b"PAR1\xff", "--input-format parquet"),
        ("a text\n".encode("utf-16"), "UTF-16"),
        (b"caf\xe9\n", "UTF-8"),
    ],
)
def test_files_of_another_kind_are_recognised(content: bytes, words: str) -> None:
    assert words in refusal(content, "a.txt").hint


@pytest.mark.parametrize("path", ["nosuch.txt", ".", "a\0b"])
def test_files_that_cannot_be_opened(path: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read") as caught:
        list(read_all_lines(TextFile(str(tmp_path / path))))
    assert caught.value.code == "file-unreadable"


def test_without_pyarrow_the_command_to_install_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "bertshape.corpus.parquet", raising=False)
    with pytest.raises(UsageError) as caught:
        list(read_records(TextFile("a.parquet")))
    assert caught.value.code == "pyarrow-missing"
    assert "pip install pyarrow" in caught.value.hint
