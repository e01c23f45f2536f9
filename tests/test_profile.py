"""`profile`: counts that are exact, add up in any order, and tables that follow from them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertshape.checkpoint import open_checkpoint
from bertshape.errors import BertshapeError, UsageError
from bertshape.profiling import (
    Counts,
    merge_profiles,
    profile_files,
    profile_texts,
    profile_to_json,
    read_profile,
    summarize,
)
from bertshape.profiling.counts import cut_lengths, sorted_batches
from bertshape.profiling.summary import histogram
from bertshape.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import Run

LENGTHS = st.lists(st.integers(2, 60), min_size=1, max_size=80)
SIZES = st.integers(1, 12)


def naive(lengths: Sequence[int], size: int) -> tuple[int, int]:
    """Batches and positions, by making the batches."""
    batches = [lengths[start : start + size] for start in range(0, len(lengths), size)]
    return len(batches), sum(len(batch) * max(batch) for batch in batches)


@given(LENGTHS, SIZES)
def test_sorted_batches_are_those_of_a_sorted_list(lengths: list[int], size: int) -> None:
    shapes = list(sorted_batches(Counter(lengths), size))
    expected = Counter(
        (len(batch), batch[0])
        for start in range(0, len(lengths), size)
        for batch in [sorted(lengths, reverse=True)[start : start + size]]
    )
    counted: Counter[tuple[int, int]] = Counter()
    for shape, count in shapes:
        counted[shape] += count
    assert counted == expected


COUNTS = st.builds(
    Counts,
    lengths=st.dictionaries(st.integers(2, 9), st.integers(1, 5)),
    unknown=st.integers(0, 9),
    texts_with_unknown=st.integers(0, 9),
    special=st.integers(0, 9),
    batches=st.dictionaries(
        st.sampled_from([2, 4]), st.dictionaries(st.tuples(st.integers(1, 4), st.integers(2, 9)), st.integers(1, 5))
    ),
)


@given(COUNTS, COUNTS, COUNTS)
def test_counts_add_up_in_any_order(one: Counts, other: Counts, third: Counts) -> None:
    assert one + other == other + one
    assert (one + other) + third == one + (other + third)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    words = ["one", "two", "sentence", "embeddings", "unbelievably", "long", "🙂", "東京", "a"]
    return [
        " ".join(itertools.islice(itertools.cycle(words), index % 9, index % 9 + index % 23)) for index in range(300)
    ]


def lengths_of(texts: Sequence[str], model: Path) -> list[int]:
    tokenizer = load_tokenizer(open_checkpoint(str(model)))
    return [len(tokenizer.backend.encode(text)) for text in texts]


def test_counts_are_those_of_the_tokenizer(minilm: Path, texts: list[str]) -> None:
    """Against one text at a time, and batches made by hand."""
    profile = profile_texts(texts, model=str(minilm), max_length=16, batch_sizes=[4, 7])
    lengths = lengths_of(texts, minilm)
    assert profile.counts.lengths == Counter(lengths)
    tokenizer = load_tokenizer(open_checkpoint(str(minilm)))
    tokens = [tokenizer.backend.encode(text).tokens for text in texts]
    assert profile.counts.unknown == sum(row.count("[UNK]") for row in tokens) > 0
    assert profile.counts.texts_with_unknown == sum("[UNK]" in row for row in tokens)
    summary = summarize(profile)
    cut = [min(length, 16) for length in lengths]
    for row in summary.waste:
        ordered = sorted(cut, reverse=True) if "sorted" in row.padding else cut
        made = [16] * len(cut) if row.padding == "max_length" else ordered
        batches, positions = naive(made, row.batch_size)
        assert (row.batches, row.positions) == (batches, positions)
        assert row.share == pytest.approx(1 - sum(cut) / positions, abs=1e-6)
    limits = {row.where: (row.texts, row.tokens) for row in summary.cuts}
    over = [length - 16 for length in lengths if length > 16]
    assert limits["--max-length"] == (len(over), sum(over))
    assert limits["tokenizer.json truncation.max_length"] == (0, 0)


@given(LENGTHS)
def test_percentiles_and_histogram(lengths: list[int]) -> None:
    counted = Counter(lengths)
    rows = histogram(counted, rows=5)
    assert sum(count for _, _, count in rows) == len(lengths)
    assert all(count == sum(low <= length <= high for length in lengths) for low, high, count in rows)
    assert len(rows) <= 5
    ordered = sorted(lengths)
    profile = profile_texts([], batch_sizes=[2])
    profile = type(profile)(profile.setting, (("x", len(lengths)),), Counts(counted, 0, 0, 0, {2: {(1, 2): 1}}))
    length = summarize(profile).length
    assert length is not None
    assert (length.least, length.most) == (ordered[0], ordered[-1])
    for percent, value in length.percentiles.items():
        share = sum(other <= value for other in lengths) / len(lengths)
        assert share >= float(percent) / 100
        below = [other for other in ordered if other < value]
        assert len(below) / len(lengths) < float(percent) / 100


@given(LENGTHS, st.integers(2, 40))
def test_cut_lengths(lengths: list[int], limit: int) -> None:
    assert cut_lengths(Counter(lengths), limit) == Counter(min(length, limit) for length in lengths)


def write_all(folder: Path, texts: Sequence[str]) -> dict[str, Path]:
    """The same texts in every format."""
    paths = {ending: folder / f"texts.{ending}" for ending in ("txt", "jsonl", "csv", "tsv", "parquet")}
    paths["txt"].write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    paths["jsonl"].write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    import csv

    for ending, delimiter in (("csv", ","), ("tsv", "\t")):
        with paths[ending].open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(["id", "text"])
            writer.writerows(enumerate(texts))
    table = pyarrow.table({"id": list(range(len(texts))), "text": list(texts)})
    pyarrow.parquet.write_table(table, paths["parquet"], row_group_size=70)
    return paths


def test_formats_give_the_same_counts(tmp_path: Path, texts: list[str]) -> None:
    counted = {ending: profile_files([str(path)]).counts for ending, path in write_all(tmp_path, texts).items()}
    assert all(counts == counted["txt"] for counts in counted.values())
    assert counted["txt"].texts == len(texts)


def test_quoted_lines_of_csv_are_one_text(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_bytes(b'\xef\xbb\xbfid,text\r\n1,"two\nlines, one ""text"""\r\n\r\n2,b\r\n')
    assert profile_files([str(path)]).counts.texts == 2


def test_merging_shards_is_profiling_them_together(tmp_path: Path, texts: list[str]) -> None:
    """Byte for byte, in any order; a shard's last batch is as small as it is."""
    shards = [tmp_path / f"shard-{number}.txt" for number in range(4)]
    for number, path in enumerate(shards):
        path.write_text("".join(f"{text}\n" for text in texts[number * 71 : (number + 1) * 71]), encoding="utf-8")
    whole = profile_to_json(profile_files([str(path) for path in shards], max_length=12))
    written = []
    for number, path in enumerate(shards):
        written.append(tmp_path / f"{number}.json")
        written[-1].write_text(profile_to_json(profile_files([str(path)], max_length=12)))
    for order in itertools.permutations(written):
        assert profile_to_json(merge_profiles(map(read_profile, order))) == whole
    pairs = [merge_profiles(map(read_profile, written[start : start + 2])) for start in (0, 2)]
    assert profile_to_json(merge_profiles(pairs)) == whole


def test_pairs_are_counted_together(tmp_path: Path, minilm: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"text": "a b", "pair": "c"}\n{"text": "a"}\n')
    counts = profile_files([str(path)], model=str(minilm)).counts
    assert counts.lengths == {6: 1, 3: 1}
    assert counts.special == 5


def test_profiles_of_other_settings_are_refused(minilm: Path) -> None:
    one = profile_texts(["a"], model=str(minilm))
    for other in (
        profile_texts(["a"], model=str(minilm), max_length=5),
        profile_texts(["a"], model=str(minilm), batch_sizes=[3]),
        profile_texts(["a"], model="embedded:bert-tiny-uncased"),
    ):
        with pytest.raises(UsageError, match="cannot be merged"):
            merge_profiles([one, other])
    with pytest.raises(UsageError, match="no profile"):
        merge_profiles([])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"fine\n\xff\n", ["line 2", "UTF-8"]),
        ("a.csv", b"id,words\n1,a\n", ["no column 'text'"]),
        ("a.csv", b"id,text\n1,\xff\n", ["line 2", "UTF-8"]),
        ("a.csv", b"id,text\n1\n", ["line 2", "1 fields"]),
        ("a.csv", b'id,text\n1,"a"b\n', ["line 2", "no CSV"]),
        ("a.csv", b"", ["no column"]),
        ("a.jsonl", b'{"text": 1}\n', ["line 1", '"text"']),
        ("a.parquet", b"PAR1 no", ["cannot read"]),
    ],
)
def test_bad_files_are_named(name: str, content: bytes, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BertshapeError) as caught:
        profile_files([str(path)])
    assert all(word in caught.value.message for word in (*words, name)), caught.value.message


def test_bad_columns_of_parquet_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", None], "number": [1, 2]}), path)
    for column, words in (
        ("text", "row 2 holds nothing"),
        ("number", "row 1 holds a value of type int"),
        ("x", "no column"),
    ):
        with pytest.raises(UsageError, match=words):
            profile_files([str(path)], column=column)


def test_lone_surrogates_are_named(minilm: Path) -> None:
    with pytest.raises(UsageError, match="texts, text 2 has a"):
        profile_texts(["a", "b\udcff"], model=str(minilm))


@pytest.mark.parametrize(
    "change",
    [
        {"setting": 3},
        {"counts": {"lengths": {"x": 1}}},
        {"counts": {"lengths": {"3": -1}}},
        {"files": "none"},
        {"files": [{"name": "a", "texts": 99}]},
    ],
)
def test_documents_that_are_no_profile_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    document = json.loads(profile_to_json(profile_texts(["a b"])))
    path.write_text(json.dumps(document))
    read_profile(path)
    for key, value in change.items():
        inner = document["profile"][key]
        document["profile"][key] = inner | value if isinstance(inner, dict) and isinstance(value, dict) else value
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="is no profile"):
        read_profile(path)
    for content in ("", "[]", "{}", "no json"):
        path.write_text(content)
        with pytest.raises(UsageError):
            read_profile(path)


def test_the_command(bertshape: Callable[..., Run], tmp_path: Path, texts: list[str]) -> None:
    paths = write_all(tmp_path, texts)
    command = ("profile", str(paths["txt"]), str(paths["csv"]), "--max-length", "10", "--batch-size", "16")
    for columns in (40, 80, 160):
        done = bertshape(*command, columns=columns)
        assert done.returncode == 0
        assert "█" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= columns
    assert "#" in bertshape(*command, PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout
    document = json.loads(bertshape(*command, "--json").stdout)
    assert document["summary"]["texts"] == 600
    assert [file["texts"] for file in document["profile"]["files"]] == [300, 300]
    parts = []
    for name in ("txt", "csv"):
        parts.append(tmp_path / f"{name}.json")
        parts[-1].write_text(bertshape("profile", str(paths[name]), *command[3:], "--json").stdout)
    merged = bertshape("profile", "--merge", *map(str, reversed(parts)), "--json").stdout
    assert json.loads(merged) == document


def test_empty_files_and_bad_options(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    done = bertshape("profile", str(empty))
    assert (done.returncode, "0 texts" in done.stdout) == (0, True)
    assert json.loads(bertshape("profile", str(empty), "--json").stdout)["summary"]["length"] is None
    for arguments in (["nosuch"], [str(tmp_path)], [str(empty), "--merge"], [str(empty), "--batch-size", "0"], []):
        done = bertshape("profile", *arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
        assert "internal" not in done.stderr


def test_stdin_is_a_file(minilm: Path) -> None:
    command = [sys.executable, "-m", "bertshape", "profile", "-", "--model", str(minilm), "--json"]
    done = subprocess.run(command, input=b"one\ntwo words\n", capture_output=True, check=False, timeout=60)
    document = json.loads(done.stdout)
    assert document["profile"]["files"] == [{"name": "stdin", "texts": 2}]
    assert document["profile"]["counts"]["lengths"] == {"3": 1, "4": 1}


def test_names_of_files_are_data(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "a[red]\x1b[31m.txt"
    path.write_text("a\n")
    shown = bertshape("profile", str(path)).stdout
    assert "\x1b" not in shown
    assert "[red]" in shown
