"""The commands that need no torch, and what the others say where it is not installed.

`tests/project/test_light_install.py` runs these tests in an environment of the core packages alone, from the wheel;
here the packages are hidden from the look-up that the commands make.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from bertshape.pipelines import packages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command

TINY = "embedded:bert-tiny-uncased"
INSTALL = 'pip install "bertshape[torch]"'


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide torch and transformers from the look-up; in the light environment there is nothing to hide."""
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name in packages.NEEDED else find_spec(name))


def test_inspect_predicts_and_says_so(minilm: Path, run_cli: Command) -> None:
    for model in (TINY, str(minilm)):
        done = run_cli("inspect", "This is an example sentence.", "-m", model, "--json")
        document = json.loads(done.stdout)
        assert done.returncode == 0
        assert {row["evidence"] for row in document["outputs"].values()} == {"predicted"}
        (note,) = [finding for finding in document["findings"] if finding["code"] == "not-run"]
        assert INSTALL in note["hint"]


def test_a_dry_run_is_asked_for_and_says_nothing_of_it(run_cli: Command) -> None:
    document = json.loads(run_cli("inspect", "x", "--dry-run", "--json").stdout)
    assert not [finding for finding in document["findings"] if finding["code"] == "not-run"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("embed", "{texts}", "-m", "{minilm}", "-o", "{out}"),
        ("check", "{minilm}", "--run"),
        ("inspect", "x", "-m", "{minilm}", "--save", "{out}"),
        ("inspect", "x", "-m", "{minilm}", "--weights", "checkpoint"),
        ("inspect", "x", "--weights", "random"),
    ],
)
def test_what_must_run_is_a_usage_error(
    arguments: tuple[str, ...], minilm: Path, tmp_path: Path, run_cli: Command
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    paths = {"texts": tmp_path / "a.txt", "minilm": minilm, "out": tmp_path / "v.npz"}
    done = run_cli(*(part.format(**paths) for part in arguments))
    assert done.returncode == 2
    assert INSTALL in done.stderr
    assert "internal" not in done.stderr
    assert not (tmp_path / "v.npz").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "{minilm}"),
        ("check", "{minilm}", "-e", "hidden_size=384", "-e", "pooled.mean=[_, 384]", "--values"),
        ("snapshot", "{minilm}"),
        ("diff", "{minilm}", "{minilm}"),
        ("profile", "{texts}", "-m", "{minilm}"),
        ("memory", "{minilm}", "--fit", "8GB"),
        ("inspect", "x", "-m", "{minilm}", "--dry-run", "--layers", "--words", "--task", "all", "--explain"),
        ("families",),
        ("poolings",),
        ("schema", "inspect"),
        ("doctor", "--offline"),
        ("--help",),
    ],
)
def test_what_needs_no_torch_works(arguments: tuple[str, ...], minilm: Path, tmp_path: Path, run_cli: Command) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo words\n")
    done = run_cli(*(part.format(minilm=minilm, texts=tmp_path / "a.txt") for part in arguments))
    assert done.returncode == 0, done.stderr + done.stdout


def test_this_environment() -> None:
    """In the light environment nothing heavy may be loaded, whatever ran before."""
    if find_spec("torch") is None:
        assert not {"torch", "transformers"} & set(sys.modules)
