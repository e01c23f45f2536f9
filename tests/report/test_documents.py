"""What the JSON documents say, beyond what their schema can: tests/report/test_schema.py."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bertshape import inspect_texts
from bertshape.cli.json_output import print_json
from bertshape.report.envelope import envelope
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command

TINY = ("--model", "embedded:bert-tiny-uncased")
PREDICT = (*TINY, "--weights", "none")


@pytest.fixture(scope="module")
def broken(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint with an error among its findings."""
    return str(edited_copy(minilm, tmp_path_factory.mktemp("broken") / "eight", num_hidden_layers=8))


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "a", "--weights", "none", "--json", "--model"),
        ("inspect", "a", "--weights", "none", "--format", "jsonl", "--model"),
        ("check", "--json"),
        ("diff", "embedded:bert-tiny-uncased", "--json"),
        ("profile", __file__, "--json", "--model"),
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[-2:]),
)
def test_ok_is_false_where_the_answer_is_no(arguments: tuple[str, ...], broken: str, run_cli: Command) -> None:
    """There is a report, and so no error."""
    done = run_cli(*arguments, broken)
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"]) == (1, False)
    assert "error" not in document


def test_embed_that_writes_nothing_is_not_ok(broken: str, tmp_path: Path, run_cli: Command) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    done = run_cli("embed", "a.txt", "-o", "a.npz", "--model", broken, "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"], document["written"], document["device"]) == (1, False, False, None)
    assert [finding["severity"] for finding in document["findings"]].count("error") == 1
    assert document["saved"] == {}


def test_tokens_are_left_out_and_their_ids_stay(tmp_path: Path, run_cli: Command) -> None:
    (tmp_path / "a.txt").write_text("two words\n")
    whole = json.loads(run_cli("inspect", "two words", *PREDICT, "--json").stdout)
    short = json.loads(run_cli("inspect", "two words", *PREDICT, "--json", "--no-tokens").stdout)
    (sequence,) = whole["sequences"]
    assert [token["input_id"] for token in sequence["tokens"]] == sequence["input_ids"] == [101, 2048, 2616, 102]
    del sequence["tokens"]
    assert short == whole
    for texts in (["two words"], ["--input", str(tmp_path / "a.txt")]):
        line = json.loads(run_cli("inspect", *texts, *PREDICT, "--format", "jsonl", "--no-tokens").stdout)
        assert (line["input_ids"], "tokens" in line) == ([101, 2048, 2616, 102], False)


def test_numbers_of_prose_are_fields() -> None:
    """`over` names a range for the batch; `counts` has a number for each text."""
    report = inspect_texts(["one", "one two three"], model=TINY[1], weights="none").to_dict()
    pooled = report["pooled"]
    assert (pooled["mean"]["over"], pooled["mean"]["counts"]) == ("3-5 attended tokens", {"attended": [3, 5]})
    assert pooled["mean_unmasked"]["counts"] == {"positions": [5, 5], "padding": [2, 0]}
    assert pooled["mean_no_special"]["counts"] == {"content": [1, 3]}
    assert pooled["cls"]["counts"] == {}
    assert [sequence["length"] for sequence in report["sequences"]] == [3, 5]


def test_words_of_a_text(minilm: Path) -> None:
    report = inspect_texts("An unbelievably", model=str(minilm), weights="none", words=True).to_dict()
    assert report["sequences"][0]["words"] == [
        {"index": 0, "sequence_id": 0, "text": "An", "tokens": ["an"], "positions": [1], "offset": [0, 2]},
        {
            "index": 1,
            "sequence_id": 0,
            "text": "unbelievably",
            "tokens": ["un", "##bel", "##ie", "##va", "##bly"],
            "positions": [2, 3, 4, 5, 6],
            "offset": [3, 15],
        },
    ]


def test_values_have_no_blanks(run_cli: Command) -> None:
    """A value of an enum is one word to a shell; screens show words."""
    text = run_cli("schema").stdout
    values = {value for node in _objects(json.loads(text)) for value in node.get("enum", ())}
    assert "word_start" in values
    assert not [value for value in values if " " in value]
    assert "_start" not in run_cli("inspect", "a", *PREDICT).stdout


def _objects(node: Any) -> list[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [found for item in inner for found in _objects(item)] + ([node] if isinstance(node, dict) else [])


@pytest.mark.parametrize(("terminal", "line", "lines"), [(False, False, 1), (True, False, 5), (True, True, 1)])
def test_json_is_indented_on_a_terminal_alone(
    terminal: bool, line: bool, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    print_json(envelope(ok=True), line=line)
    assert stream.getvalue().count("\n") == lines
    assert json.loads(stream.getvalue()) == envelope(ok=True)


@pytest.mark.parametrize(
    "arguments", [("inspect", "a", *PREDICT), ("check", TINY[1]), ("poolings",), ("families",)], ids=lambda it: it[0]
)
def test_every_document_is_one_line_off_a_terminal(arguments: tuple[str, ...], run_cli: Callable[..., Any]) -> None:
    output = run_cli(*arguments, "--json").stdout
    assert output.count("\n") == 1
    assert '": ' not in output.replace('": "', "")


def test_what_differs_from_an_expectation_stands_in_fields(run_cli: Command) -> None:
    """No program has to take `expected 7, got 128` apart."""
    done = run_cli("check", "embedded:bert-tiny-uncased", "-e", "hidden_size=7", "--json")
    (checkpoint,) = json.loads(done.stdout)["checkpoints"]
    soundness, outcome = checkpoint["outcomes"]
    assert soundness["mismatches"] == []
    assert outcome["mismatches"] == [{"name": "hidden_size", "operator": "=", "expected": 7, "actual": 128}]
