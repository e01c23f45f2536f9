"""`inspect --input`: texts of files and pipes, streamed in order, whole lines whatever happens."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bertshape import inspect_texts
from bertshape.corpus.text_file import Record
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.reconcile import same_shape
from bertshape.pipelines.request import InspectionRequest, RunOptions, Texts
from bertshape.pipelines.stream import Stream
from tests.support.command_line import Run, call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

TINY = ("--model", "embedded:bert-tiny-uncased")
TEXTS = ["one", "two words", "", "naïve 東京 🙂", "two words", "one two three four"]


@pytest.mark.parametrize("batch_size", [1, 2, 4])
@pytest.mark.parametrize("weights", ["none", "checkpoint"])
def test_batches_are_those_of_inspect(minilm: Path, batch_size: int, weights: str) -> None:
    """Each batch says what `inspect` says of its texts alone, and few forward passes are enough."""
    request = InspectionRequest(Texts(()), ModelSource(str(minilm)), RunOptions(weights))  # type: ignore[arg-type]
    flow = Stream(request, "texts")
    batches = list(flow.batches([Record(index, text) for index, text in enumerate(TEXTS, 1)], batch_size))
    assert [record.text for batch in batches for record in batch.records.values()] == TEXTS
    shapes = set()
    for batch in batches:
        texts = [record.text for record in batch.records.values()]
        assert batch.report is not None
        alone = inspect_texts(texts, model=str(minilm), weights=weights)  # type: ignore[arg-type]
        shape = (len(texts), batch.report.tokenization.sequence_length, batch.report.tokenization.num_words)
        if weights == "checkpoint" and shape in shapes:
            alone = same_shape(alone)
        assert (batch.report.outputs, batch.report.pooled) == (alone.outputs, alone.pooled)
        shapes.add(shape)
    assert flow.forwards == (len(shapes) if weights == "checkpoint" else 0)


def test_how_far_padding_is_off_is_said_of_the_texts_that_ran(minilm: Path) -> None:
    """Another batch of the same shape averages padding too, by another error that nobody measured."""
    request = InspectionRequest(Texts(()), ModelSource(str(minilm)))
    texts = ["one", "two words", "three", "four words"]
    records = [Record(index, text) for index, text in enumerate(texts, 1)]
    reports = [batch.report for batch in Stream(request, "texts").batches(records, 2)]
    said = [
        finding.message
        for report in reports
        if report is not None
        for finding in report.findings
        if finding.code == "mean-unmasked-differs"
    ]
    assert said[0].startswith("mean_unmasked averages padding too: its numbers are off by up to ")
    assert said[1:] == ["mean_unmasked averages padding too"]


def pipe(content: bytes, *arguments: str) -> Run:
    return call("inspect", *arguments, stdin=content)


def test_two_lines_give_two_records() -> None:
    done = pipe(b"one\ntwo words\n", "--input", "-", "--format", "jsonl", "--weights", "none")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [(record["index"], record["line"], record["text"]) for record in records] == [
        (0, 1, "one"),
        (1, 2, "two words"),
    ]
    assert [record["outputs"]["last_hidden_state"]["shape"] for record in records] == [[1, 3, 768], [1, 4, 768]]


def test_an_error_in_the_midst_leaves_whole_lines() -> None:
    done = pipe(b"one\n\xff\nthree\n", "-i", "-", "--format", "jsonl", "--weights", "none", *TINY)
    assert done.returncode == 2
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["ok"] for document in documents] == [True, False]
    assert "stdin, line 2" in done.stderr
    done = pipe(b"one\n" + b"word " * 600, "-i", "-", "--format", "jsonl", "--weights", "none", *TINY)
    assert done.returncode == 2
    assert "stdin, line 2: text 1 gives 602 tokens" in done.stderr


BAD = (
    b'{"text": "one", "id": "a"}\n{"text": 2, "id": "b"}\nno json\n{"text": "\xf0\x9f\x99\x82", "id": 4}\n'
    b'{"text": "' + b"word " * 600 + b'", "id": "long"}\n{"text": "six", "id": "f"}\n'
)


@pytest.mark.parametrize("batch_size", ["1", "2", "10"])
def test_lines_without_a_text_are_skipped(batch_size: str) -> None:
    """Each has a record that says why, in the order of the lines, and the others are inspected as ever."""
    command = ("-i", "-", "--input-format", "jsonl", "--format", "jsonl", "--weights", "none", *TINY)
    done = pipe(BAD, *command, "--on-error", "skip", "--batch-size", batch_size)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(document["ok"], document["index"], document["line"], document["id"]) for document in documents] == [
        (True, 0, 1, "a"),
        (False, 1, 2, "b"),
        (False, 2, 3, None),
        (True, 3, 4, 4),
        (False, 4, 5, "long"),
        (True, 5, 6, "f"),
    ]
    codes = [document["error"]["code"] for document in documents if not document["ok"]]
    assert codes == ["line-invalid", "line-invalid", "text-too-long"]
    assert "602 tokens" in documents[4]["error"]["message"]
    assert (done.returncode, done.stderr) == (1, "bertshape: skipped 3 of 6 lines\n")


def test_the_first_bad_line_stops_a_stream() -> None:
    """Its document says which text it is."""
    done = pipe(BAD, "-i", "-", "--input-format", "jsonl", "--format", "jsonl", "--weights", "none", *TINY)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(document["ok"], document["index"], document["id"]) for document in documents] == [
        (True, 0, "a"),
        (False, 1, "b"),
    ]
    assert done.returncode == 2


def test_what_is_wrong_with_the_request_is_not_skipped() -> None:
    skip = ("--on-error", "skip", "--weights", "none", *TINY)
    for arguments, words in (
        (("--pooling", "nosuch"), "nosuch"),
        (("--max-length", "1"), "--max-length 1 leaves no room"),
        (("--text-column", "x", "--input-format", "csv"), "no column 'x'"),
    ):
        done = pipe(b"one\ntwo\n", "-i", "-", "--format", "jsonl", *skip, *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    done = pipe(b"one\n", "-i", "-", *skip)
    assert (done.returncode, "goes with a stream" in done.stderr) == (2, True)


def test_ids_and_pairs_of_json_lines() -> None:
    content = b'{"text": "a b", "pair": "c", "id": "x1"}\n{"text": "d", "pair": "e"}\n'
    done = pipe(content, "-i", "-", "--format", "jsonl", "--batch-size", "2", *TINY)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(record["id"], record["pair"]) for record in records] == [("x1", "c"), (None, "e")]
    assert {tuple(record["outputs"]["last_hidden_state"]["shape"]) for record in records} == {(2, 6, 128)}
    mixed = pipe(
        b'{"text": "a", "pair": "b"}\n{"text": "c"}\n', "-i", "-", "--format", "jsonl", "--batch-size", "2", *TINY
    )
    assert mixed.returncode == 2
    assert "lines 1 to 2" in mixed.stderr


def test_one_report_shows_at_most_200_texts(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """More once took minutes to draw; jsonl streams any number."""
    path, command = tmp_path / "texts.txt", ("inspect", *TINY, "--weights", "none")
    path.write_text("a\n" * 201)
    for arguments in (("-i", str(path)), ("-i", str(path), "--json"), ("a",) * 201):
        done = bertshape(*command, *arguments)
        assert done.returncode == 2
        assert "more than 200 texts" in done.stderr
        assert "--format jsonl" in done.stderr
    assert len(bertshape(*command, "-i", str(path), "--format", "jsonl").stdout.splitlines()) == 201
    path.write_text("a\n" * 200)
    assert bertshape(*command, "-i", str(path), "--quiet").returncode == 0


def test_other_formats_take_a_file_as_one_batch(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("one\ntwo more words\n")
    report = json.loads(bertshape("inspect", "-i", str(path), *TINY, "--weights", "none", "--json").stdout)
    assert report["outputs"]["last_hidden_state"]["shape"] == [2, 5, 128]
    for arguments in (["x", "-i", str(path)], ["-i", str(tmp_path / "nosuch")], ["-i", str(tmp_path)]):
        done = bertshape("inspect", *arguments, *TINY)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    path.write_text("")
    assert bertshape("inspect", "-i", str(path), *TINY).returncode == 2


@pytest.mark.parametrize("command", [["inspect", "--weights", "none", "-i"], ["profile"]], ids=["inspect", "profile"])
@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file that opens and cannot be read, of Linux")
def test_a_file_that_cannot_be_read_on_is_named(command: list[str], bertshape: Callable[..., Run]) -> None:
    """Not told as a failure of writing."""
    done = bertshape(*command, "/proc/self/mem")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "bertshape: error: cannot read /proc/self/mem: Input/output error"


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("t.csv", 'id,words\n7,"two\nlines, one"\n8,b\n', ["--text-column", "words"]),
        ("t.dat", 'id\twords\n7\t"two\nlines, one"\n8\tb\n', ["--text-column", "words", "--input-format", "tsv"]),
        ("t.jsonl", '{"key": "7", "text": "two\\nlines, one"}\n{"key": "8", "text": "b"}\n', ["--id-column", "key"]),
    ],
)
def test_rows_of_tables_are_texts(
    name: str, content: str, options: list[str], bertshape: Callable[..., Run], tmp_path: Path
) -> None:
    """Streamed or as one batch: the header is no text, a quoted newline ends none, ids are kept."""
    path = tmp_path / name
    path.write_text(content)
    command = ("inspect", "-i", str(path), *options, *TINY, "--weights", "none")
    report = json.loads(bertshape(*command, "--json").stdout)
    assert [item["text"] for item in report["sequences"]] == ["two\nlines, one", "b"]
    records = [json.loads(line) for line in bertshape(*command, "--format", "jsonl").stdout.splitlines()]
    assert [(record["id"], record["text"]) for record in records] == [("7", "two\nlines, one"), ("8", "b")]
    done = bertshape(*command, "--text-column", "nosuch")
    assert done.returncode == 2
    assert "nosuch" in done.stderr


def test_a_line_without_a_pair_among_others_is_named(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"text": "a", "pair": "b"}\n{"text": "c"}\n')
    done = bertshape("inspect", "-i", str(tmp_path / "p.jsonl"), "--weights", "none")
    assert done.returncode == 2
    assert "line 2 has no pair, and others have" in done.stderr
    assert "--pair" not in done.stderr
