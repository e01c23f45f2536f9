"""The command line as a process: exit codes, streams, formats, pipes and terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bertshape import inspect_texts
from tests.conftest import EXAMPLE
from tests.support.checkpoints import FAMILIES, edited_copy
from tests.support.terminal import run_in_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

    Command = Callable[..., Run]

TINY = ("--model", "embedded:bert-tiny-uncased")
PREDICT = ("--weights", "none")


def test_json_is_the_report_of_the_python_api(bertshape: Command) -> None:
    done = bertshape("inspect", EXAMPLE, *TINY, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(json.dumps(inspect_texts(EXAMPLE, model=TINY[1]).to_dict()))


def test_json_of_the_default(bertshape: Command) -> None:
    """The line of the README."""
    report = json.loads(bertshape("inspect", EXAMPLE, "--json").stdout)
    assert report["inputs"]["sequence_length"] == 8
    assert report["outputs"]["last_hidden_state"]["shape"] == [1, 8, 768]
    assert report["pooled"]["mean"]["shape"] == [1, 768]
    assert report["outputs"]["hidden_states"]["count"] == 13
    assert report["outputs"]["hidden_states"]["labels"][0] == "embeddings"


def test_jsonl_is_a_record_a_text(bertshape: Command) -> None:
    done = bertshape("inspect", "one", "two words", *TINY, *PREDICT, "--format", "jsonl")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["text"] for record in records] == ["one", "two words"]
    assert [record["index"] for record in records] == [0, 1]
    assert {tuple(record["outputs"]["last_hidden_state"]["shape"]) for record in records} == {(2, 4, 128)}


def test_markdown_escapes_foreign_text(bertshape: Command, tmp_path: Path, minilm: Path) -> None:
    folder = edited_copy(minilm, tmp_path / "a|b<script>")
    done = bertshape("inspect", "<b>|*x*", "--model", str(folder), *PREDICT, "--format", "markdown")
    assert done.returncode == 0
    assert "<script>" not in done.stdout
    assert "\\<" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    counts = {line.replace("\\|", "").count("|") for line in rows}
    assert counts == {6, 7, 8}, "steps have 5 columns, outputs and pooled 6, tokens 7; no cell breaks its row"


def test_families_and_poolings_as_json(bertshape: Command) -> None:
    families = json.loads(bertshape("families", "--json").stdout)["families"]
    assert set(FAMILIES) <= set(families)
    assert families["distilbert"] == {
        "pooler": False,
        "token_type_ids": False,
        "length": "positions",
        "outputs": ["last_hidden_state"],
        "observed_only": [],
        "unbounded_when": None,
        "group": "encoder",
        "causal_when": [],
        "window": None,
        "grouped_heads": False,
    }
    poolings = json.loads(bertshape("poolings", "--json").stdout)["poolings"]
    assert poolings["mean_max"]["axes"] == ["batch_size", "2*hidden_size"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 0, ["Usage", "inspect"]),
        (["--version"], 0, ["bertshape 0.1.0"]),
        (["inspekt"], 2, ["inspect"]),
        (["inspect"], 2, ["no text"]),
        (["inspect", "x", "--nosuch"], 2, ["--nosuch"]),
        (["inspect", "x", "--weights", "half"], 2, ["half"]),
        (["inspect", "x", "--device", "tpu"], 2, ["tpu", "cuda"]),
        (["inspect", "x", "--max-length", "0"], 2, ["--max-length"]),
        (["inspect", "x", "--format", "xml"], 2, ["xml"]),
        (["inspect", "x", "--pooling", "meen"], 2, ["meen", "mean"]),
        (["inspect", "x", "--model", ""], 2, ["name is empty"]),
        (["inspect", "x", "--model", "a b c"], 2, ["a b c"]),
        (["inspect", "x", "--model", "./nosuch"], 3, ["./nosuch", "does not exist"]),
        (["inspect", "x", "--model", "/nosuch/at/all"], 3, ["/nosuch/at/all", "does not exist"]),
        (["inspect", "x", "--model", "embedded:bert-huge"], 3, ["embedded:bert-", "bert-large-uncased"]),
        (["inspect", "x", "--model", "org/name", "--offline"], 4, ["org/name", "offline"]),
        (["inspect", "x", *TINY, "--device", "cuda:7"], 5, ["cuda:7"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_exit_codes(bertshape: Command, arguments: list[str], code: int, words: list[str]) -> None:
    """One clear line on stderr, nothing on stdout, and the same as a document with --json."""
    done = bertshape(*arguments)
    assert done.returncode == code
    said = done.stdout if code == 0 else done.stderr
    assert all(word in said for word in words), said
    assert "Traceback" not in done.stderr
    if code == 0:
        return
    assert done.stderr.startswith("bertshape: error: ") or code == 5
    assert len(done.stderr.splitlines()) == 2
    document = json.loads(bertshape(*arguments, "--json").stdout)
    assert document["ok"] is False
    assert all(document["error"][field] for field in ("code", "message", "hint"))


def test_debug_shows_the_traceback(bertshape: Command) -> None:
    done = bertshape("inspect", "x", "--model", "./nosuch", "--debug")
    assert done.returncode == 3
    assert "Traceback" in done.stderr


def test_broken_checkpoint_prints_its_report_and_fails(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    """8 layers in the config over 6 stored: the report is there, the error is its last word, the exit code is 1."""
    folder = edited_copy(minilm, tmp_path / "eight", num_hidden_layers=8)
    done = bertshape("inspect", EXAMPLE, "--model", str(folder))
    assert done.returncode == 1
    assert "last_hidden_state" in done.stdout
    labels = [line.split()[0] for line in done.stdout.splitlines() if line[:1].islower()]
    assert labels[-1] == "error", "the gravest finding is the last word"
    assert "error     num_hidden_layers" in done.stdout
    quiet = bertshape("inspect", EXAMPLE, "--model", str(folder), "--quiet", *PREDICT)
    assert quiet.returncode == 1
    assert quiet.stdout.startswith("error num_hidden_layers")
    assert len(quiet.stdout.splitlines()) == 1


def test_weights_that_are_cut_off_hide_nothing_else(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    folder = edited_copy(minilm, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.unlink()
    weights.write_bytes((minilm / "model.safetensors").read_bytes()[:40_000_000])
    done = bertshape("inspect", EXAMPLE, "--model", str(folder))
    assert (done.returncode, done.stderr) == (1, "")
    assert "model.safetensors is cut off" in done.stdout
    assert "[1, 8, 384]" in done.stdout


TEXTS = [
    "[unused1]",
    "[/b]",
    "[red]x",
    "emoji 🙂 👩‍👩‍👧",
    "東京 中文",
    "שלום العربية",
    "nul\x00",
    "\x1b[31mred\x1b[0m",
    "a\u202eb",
    "",
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_any_text_is_shown_unharmed(text: str, columns: int) -> None:
    """Token strings are data: each is in the tokens table as the tokenizer gives it, and moves nothing."""
    if "\x00" in text:
        pytest.skip("no process takes NUL in an argument; the next test passes it by the Python API")
    done = run_in_terminal("inspect", text, *TINY, *PREDICT, "--pooling", "mean", columns=columns, NO_COLOR="1")
    assert done.code == 0
    assert "\x1b[31m" not in done.raw
    assert "\u202e" not in done.raw
    report = inspect_texts(text, model=TINY[1], weights="none")
    if columns >= 80:
        shown = [line.split() for line in done.screen]
        for token in report.tokenization.rows[0].tokens:
            assert any(line[:3] == [str(token.position), token.token, str(token.input_id)] for line in shown)


def test_nul_in_a_text() -> None:
    tokens = inspect_texts("a\x00b", model=TINY[1], weights="none").tokenization.rows[0].tokens
    assert [token.token for token in tokens] == ["[CLS]", "ab", "[SEP]"]


def test_no_color_is_honoured() -> None:
    coloured = run_in_terminal("inspect", "x", *TINY, *PREDICT)
    plain = run_in_terminal("inspect", "x", *TINY, *PREDICT, NO_COLOR="1")
    assert "\x1b[35m" in coloured.raw
    assert "\x1b[35m" not in plain.raw


def test_ascii_terminal(bertshape: Command, minilm: Path) -> None:
    done = bertshape(
        "inspect", "naïve 東京", "--model", str(minilm), *PREDICT, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "* mean" in done.stdout


def test_rows_turn_observed_on_a_terminal() -> None:
    """The prediction is drawn first; in the end the same rows say observed, and none is left over."""
    done = run_in_terminal("inspect", EXAMPLE, *TINY)
    assert done.code == 0
    predicted, observed = done.raw.index("predicted"), done.raw.index("observed")
    assert predicted < observed
    assert not [line for line in done.screen if "predicted" in line]
    assert sum("last_hidden_state" in line for line in done.screen) == 1


def test_a_low_terminal_shows_every_row_in_the_end() -> None:
    """The drawing is taller than the terminal: nothing may be lost or doubled once it is over."""
    done = run_in_terminal("inspect", EXAMPLE, *TINY, lines=12)
    text = "\n".join(done.screen)
    for name in ("[CLS]", "last_hidden_state", "mean_sqrt_len_tokens", "words  ", "note  "):
        assert name in text
    assert text.count("mean_sqrt_len_tokens") == 1


def test_a_closed_pipe_is_no_failure(bertshape: Command) -> None:
    command = f'"{sys.executable}" -m bertshape inspect x --model embedded:bert-tiny-uncased --format json'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -c 1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said(bertshape: Command) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bertshape", "inspect", "x", *TINY, *PREDICT],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 74
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("lines", [24, 40])
def test_a_failed_run_leaves_its_error_alone(lines: int) -> None:
    """Predicted rows stand while the device is looked for, in a low terminal the end of them; then they are gone."""
    done = run_in_terminal("inspect", EXAMPLE, *TINY, "--device", "cuda:99", lines=lines)
    assert done.code != 0
    assert "importing torch" in done.raw
    shown = [line for line in done.screen if line]
    assert shown[0].startswith("bertshape: error: --device cuda:99")
    assert len(shown) <= 3
