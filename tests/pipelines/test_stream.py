"""Texts from files and pipes: read line by line, streamed in order, whole lines whatever happens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertshape import inspect_texts
from bertshape.corpus.records import MAX_LINE_BYTES, Record, read_records
from bertshape.errors import UsageError
from bertshape.pipelines.reconcile import same_shape
from bertshape.pipelines.request import InspectionRequest, ModelSource, RunOptions, Texts
from bertshape.pipelines.stream import Stream
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

TINY = ("--model", "embedded:bert-tiny-uncased")
TEXTS = ["one", "two words", "", "naïve 東京 🙂", "two words", "one two three four"]


def read(content: bytes, name: str = "texts.txt") -> list[Record]:
    return list(read_records(io.BytesIO(content), name))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\ufeff"))))
def test_every_line_is_a_text(texts: list[str]) -> None:
    """Empty lines, control characters and line separators of Unicode included."""
    content = "".join(f"{text}\n" for text in texts).encode()
    if not (texts and texts[0].lstrip().startswith("{")):
        assert [record.text for record in read(content)] == texts


WORDS = st.text(st.characters(exclude_categories=["Cs"]))
IDS = st.none() | st.integers(-(2**62), 2**62) | WORDS


@given(st.lists(st.tuples(WORDS, st.none() | WORDS, IDS)))
def test_json_lines_are_read_back(rows: list[tuple[str, str | None, str | int | None]]) -> None:
    lines = [{"text": text, "pair": pair, "id": given} for text, pair, given in rows]
    records = read("".join(json.dumps(line) + "\n" for line in lines).encode(), "texts.jsonl")
    assert [(record.text, record.pair, record.id) for record in records] == rows


def refusal(content: bytes, name: str) -> str | None:
    try:
        read(content, name)
    except UsageError as error:
        return error.message
    return None


@given(st.binary(max_size=200), st.sampled_from(["a.txt", "a.jsonl"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    message = refusal(content, name)
    assert message is None or message.startswith(f"{name}, line ")


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"fine\n\xff\n", "a.txt", ["line 2", "UTF-8", "0xff", "byte 1"]),
        (b'{"text": "a"}\n{"text": 3}\n', "a.jsonl", ["line 2", '"text"']),
        (b'{"text": "a"}\nnot json\n', "a.jsonl", ["line 2", "JSON"]),
        (b'{"text": "a", "pair": 1}\n', "a.jsonl", ["line 1", '"pair"']),
        (b'{"text": "a", "id": [1]}\n', "a.jsonl", ["line 1", '"id"']),
        (b'{"text": "a", "text": "b"}\n', "a.jsonl", ["line 1", "twice"]),
        (b"x" * (MAX_LINE_BYTES + 2), "a.txt", ["line 1", "16 MiB"]),
    ],
    ids=["bytes", "no text", "no json", "pair", "id", "twice", "long"],
)
def test_bad_lines_are_named(content: bytes, name: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        read(content, name)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_marks_and_line_ends_are_taken_off() -> None:
    assert [record.text for record in read(b"\xef\xbb\xbffirst\r\nsecond")] == ["first", "second"]
    assert [record.text for record in read(b'{"text": "a"}\n\n{"text": "b"}\n')] == ["a", "b"]


@pytest.mark.parametrize("batch_size", [1, 2, 4])
@pytest.mark.parametrize("weights", ["none", "checkpoint"])
def test_batches_are_those_of_inspect(minilm: Path, batch_size: int, weights: str) -> None:
    """Each batch says what `inspect` says of its texts alone, and few forward passes are enough."""
    request = InspectionRequest(Texts(()), ModelSource(str(minilm)), RunOptions(weights))  # type: ignore[arg-type]
    flow = Stream(request, "texts")
    batches = list(flow.batches([Record(index, text) for index, text in enumerate(TEXTS, 1)], batch_size))
    assert [record.text for batch in batches for record in batch.records] == TEXTS
    shapes = set()
    for batch in batches:
        texts = [record.text for record in batch.records]
        alone = inspect_texts(texts, model=str(minilm), weights=weights)  # type: ignore[arg-type]
        shape = (len(texts), batch.report.tokenization.sequence_length, batch.report.tokenization.num_words)
        if weights == "checkpoint" and shape in shapes:
            alone = same_shape(alone)
        assert (batch.report.outputs, batch.report.pooled) == (alone.outputs, alone.pooled)
        shapes.add(shape)
    assert flow.forwards == (len(shapes) if weights == "checkpoint" else 0)


def pipe(content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "bertshape", "inspect", *arguments]
    return subprocess.run(command, input=content, capture_output=True, check=False, timeout=SECONDS)


def test_two_lines_give_two_records() -> None:
    done = pipe(b"one\ntwo words\n", "--file", "-", "--format", "jsonl", "--weights", "none")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, b"")
    assert [(record["index"], record["line"], record["text"]) for record in records] == [
        (0, 1, "one"),
        (1, 2, "two words"),
    ]
    assert [record["outputs"]["last_hidden_state"]["shape"] for record in records] == [[1, 3, 768], [1, 4, 768]]


def test_an_error_in_the_midst_leaves_whole_lines() -> None:
    done = pipe(b"one\n\xff\nthree\n", "-f", "-", "--format", "jsonl", "--weights", "none", *TINY)
    assert done.returncode == 2
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["ok"] for document in documents] == [True, False]
    assert b"stdin, line 2" in done.stderr
    done = pipe(b"one\n" + b"word " * 600, "-f", "-", "--format", "jsonl", "--weights", "none", *TINY)
    assert done.returncode == 2
    assert b"stdin, line 2: text 1 gives 602 tokens" in done.stderr


def test_ids_and_pairs_of_json_lines() -> None:
    content = b'{"text": "a b", "pair": "c", "id": "x1"}\n{"text": "d", "pair": "e"}\n'
    done = pipe(content, "-f", "-", "--format", "jsonl", "--batch-size", "2", *TINY)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(record["id"], record["pair"]) for record in records] == [("x1", "c"), (None, "e")]
    assert {tuple(record["outputs"]["last_hidden_state"]["shape"]) for record in records} == {(2, 6, 128)}
    mixed = pipe(
        b'{"text": "a", "pair": "b"}\n{"text": "c"}\n', "-f", "-", "--format", "jsonl", "--batch-size", "2", *TINY
    )
    assert mixed.returncode == 2
    assert b"lines 1 to 2" in mixed.stderr


def test_other_formats_take_a_file_as_one_batch(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("one\ntwo more words\n")
    report = json.loads(bertshape("inspect", "-f", str(path), *TINY, "--weights", "none", "--json").stdout)
    assert report["outputs"]["last_hidden_state"]["shape"] == [2, 5, 128]
    for arguments in (["x", "-f", str(path)], ["-f", str(tmp_path / "nosuch")], ["-f", str(tmp_path)]):
        done = bertshape("inspect", *arguments, *TINY)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    path.write_text("")
    assert bertshape("inspect", "-f", str(path), *TINY).returncode == 2


@pytest.mark.parametrize("command", [["inspect", "--weights", "none", "-f"], ["profile"]], ids=["inspect", "profile"])
@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file that opens and cannot be read, of Linux")
def test_a_file_that_cannot_be_read_on_is_named(command: list[str], bertshape: Callable[..., Run]) -> None:
    """Not told as a failure of writing."""
    done = bertshape(*command, "/proc/self/mem")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "bertshape: error: cannot read /proc/self/mem: Input/output error"


def test_endings_may_be_capitals(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """JSON lines even where the first is empty, for one name as for the other."""
    (tmp_path / "U.JSONL").write_text('\n{"text": "a"}\n')
    done = bertshape("inspect", "-f", str(tmp_path / "U.JSONL"), "--json", "--weights", "none")
    assert [item["text"] for item in json.loads(done.stdout)["sequences"]] == ["a"]


def test_a_line_without_a_pair_among_others_is_named(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"text": "a", "pair": "b"}\n{"text": "c"}\n')
    done = bertshape("inspect", "-f", str(tmp_path / "p.jsonl"), "--weights", "none")
    assert done.returncode == 2
    assert "line 2 has no pair, and others have" in done.stderr
    assert "--pair" not in done.stderr
