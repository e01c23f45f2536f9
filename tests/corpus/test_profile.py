"""`profile`: counts that are exact, add up in any order, and tables that follow from them."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest

from bertshape import profile_files, profile_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import UsageError
from bertshape.report.profile import merge_profiles
from bertshape.report.profile_document import profile_to_json
from bertshape.report.profile_summary import summarize
from bertshape.report.read_profile import profile_from_json, read_profile
from bertshape.tokens.tokenizer import load_tokenizer
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import Run


def naive(lengths: Sequence[int], size: int) -> tuple[int, int]:
    """Batches and positions, by making the batches."""
    batches = [lengths[start : start + size] for start in range(0, len(lengths), size)]
    return len(batches), sum(len(batch) * max(batch) for batch in batches)


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
    for other, field in (
        (profile_texts(["a"], model=str(minilm), max_length=5), "max_length is None in texts and 5 in texts"),
        (profile_texts(["a"], model=str(minilm), batch_sizes=[3]), "batch_sizes is"),
        (profile_texts(["a"], model="embedded:bert-tiny-uncased"), "tokenizer is"),
    ):
        with pytest.raises(UsageError, match=f"cannot be merged: {field}"):
            merge_profiles([one, other])
    with pytest.raises(UsageError, match="no profile"):
        merge_profiles([])


@pytest.mark.parametrize(
    "change",
    [
        {"setting": 3},
        {"counts": {"lengths": {"4": 1}}},
        {"counts": {"lengths": [{"length": "4", "texts": 1}]}},
        {"counts": {"lengths": [{"length": 4, "texts": -1}]}},
        {"counts": {"lengths": [{"length": 4, "texts": 1}, {"length": 4, "texts": 1}]}},
        {"setting": {"length_limits": [{"file": None, "field": "a", "limit": 5}]}},
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


def test_merging_on_the_command_line_is_profiling_together(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """Byte for byte, whatever the order of either; the same file twice is counted twice, and the report says so."""
    for number, name in enumerate("abc"):
        (tmp_path / f"{name}.txt").write_text("".join("word " * (index % (7 + number)) + "\n" for index in range(70)))
        done = bertshape("profile", str(tmp_path / f"{name}.txt"), "--json")
        (tmp_path / f"{name}.json").write_text(done.stdout)
    for order in ("abc", "cab", "aab", "aba"):
        together = bertshape("profile", *(str(tmp_path / f"{name}.txt") for name in order), "--json")
        merged = bertshape(
            "profile", "--merge", *(str(tmp_path / f"{name}.json") for name in reversed(order)), "--json"
        )
        assert merged.stdout == together.stdout
        assert json.loads(merged.stdout)["summary"]["texts"] == 210
    twice = bertshape("profile", "--merge", *[str(tmp_path / "a.json")] * 2).stdout
    assert "a.txt (2 times)" in " ".join(twice.split())


def test_options_that_merging_would_pass_over_are_refused(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(profile_to_json(profile_texts(["a"])))
    for option in (
        ["--max-length", "5"],
        ["--batch-size", "8"],
        ["--model", "x"],
        ["--text-column", "x"],
        ["--offline"],
    ):
        done = bertshape("profile", "--merge", str(path), *option)
        assert done.returncode == 2
        assert f"--merge takes no {option[0]}" in done.stderr


def test_a_vocabulary_that_is_read_otherwise_is_another_tokenizer(minilm: Path, tmp_path: Path) -> None:
    """The very same vocab.txt, lowercased and not: the counts differ, so they must not be added."""
    profiles = []
    for lower in (True, False):
        folder = tmp_path / str(lower)
        folder.mkdir()
        vocabulary = json.loads((minilm / "tokenizer.json").read_text())["model"]["vocab"]
        (folder / "vocab.txt").write_text("\n".join(vocabulary))
        (folder / "config.json").write_text((minilm / "config.json").read_text())
        options = {"do_lower_case": lower, "tokenizer_class": "BertTokenizer"}
        (folder / "tokenizer_config.json").write_text(json.dumps(options))
        profiles.append(profile_texts(["A Sentence"], model=str(folder)))
    assert profiles[0].counts != profiles[1].counts
    with pytest.raises(UsageError, match="cannot be merged: tokenizer is"):
        merge_profiles(profiles)


def test_what_the_model_runs_is_a_limit_too(minilm: Path, tmp_path: Path) -> None:
    """RoBERTa numbers positions after the padding id: 20 positions run 18 tokens, and batches are cut there."""
    folder = tmp_path / "roberta"
    changes: dict[str, object] = {"model_type": "roberta", "max_position_embeddings": 20, "pad_token_id": 1}
    edited_copy(minilm, folder, **changes)
    profile = profile_texts(["word " * 17, "a"], model=str(folder), batch_sizes=[2])
    summary = summarize(profile)
    cuts = {cut.where: (cut.limit, cut.texts, cut.tokens) for cut in summary.cuts}
    assert cuts["config.json max_position_embeddings"] == (20, 0, 0)
    assert cuts["effective"] == (18, 1, 1)
    assert [row.largest for row in summary.waste] == [(2, 18)] * 3


def test_markdown_holds_the_same_numbers(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "a|b<c>.txt"
    path.write_text("one two\nthree\n")
    shown = bertshape("profile", str(path), "--format", "markdown", "--batch-size", "2").stdout
    assert "| 2 | longest | 1 | 12.5% | [2, 4, 768] | 417.9 MiB | 208.9 MiB |" in shown
    assert r"a\|b\<c\>\.txt" in shown


def shape(rows: int, sequence_length: int, batches: int) -> dict[str, int]:
    return {"rows": rows, "sequence_length": sequence_length, "batches": batches}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("counts", "batches", 0, "shapes"), []),
        (("counts", "batches", 0, "shapes"), [shape(1, 4, 1), shape(2, 4, 0)]),
        (("counts", "batches", 0, "shapes"), [shape(9, 4, 1)]),
        (("counts", "batches", 0, "shapes"), [shape(1, 2, 1)]),
        (("counts", "lengths"), [{"length": 4, "texts": 1}, {"length": 5, "texts": 0}]),
        (("counts", "special"), 5),
        (("counts", "texts_with_unknown"), 1),
        (("setting", "batch_sizes"), [8, 32]),
    ],
)
def test_documents_that_contradict_themselves_are_refused(path: tuple[str | int, ...], value: object) -> None:
    """A table of nonsense, or an internal error, would come of them."""
    document = json.loads(profile_to_json(profile_texts(["a b"])))
    inner: Any = document["profile"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(UsageError, match="is no profile"):
        profile_from_json(json.dumps(document))


def test_profiles_of_another_schema_are_refused() -> None:
    document = json.loads(profile_to_json(profile_texts(["a b"]))) | {"schema_version": "2"}
    with pytest.raises(UsageError, match="schema_version"):
        profile_from_json(json.dumps(document))


def test_findings_of_the_checkpoint_stay_when_profiles_are_merged(minilm: Path, tmp_path: Path) -> None:
    """A profile carries the same findings as any answer about its checkpoint, and the name that was given."""
    broken = str(edited_copy(minilm, tmp_path / "eight", num_hidden_layers=8))
    one, two = (profile_texts([text], name=text, model=broken) for text in ("a", "b c"))
    assert "num_hidden_layers" in "".join(finding.message for finding in one.findings)
    assert one.failed
    assert one.to_dict()["ok"] is False
    merged = merge_profiles([profile_from_json(profile_to_json(profile)) for profile in (one, two)])
    assert (merged.model, set(merged.findings)) == (broken, set(one.findings))
    other = profile_texts(["a"], model=str(minilm))
    assert not other.failed
    assert merge_profiles([one, other]).model is None
