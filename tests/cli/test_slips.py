"""Likely slips: each gets one line that says what was meant, with a command line that works."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from bertshape.cli.slips import notes_on_texts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("embed", "corpus.txt"),
            2,
            "bertshape embed corpus.txt -o vectors.npz -m ./my-model; see bertshape embed --help",
        ),
        (("embed", "corpus.txt", "-m", "./m"), 2, "bertshape embed corpus.txt -m ./m -o vectors.npz; see"),
        (("profile",), 2, "bertshape profile corpus.txt; see bertshape profile --help"),
        (
            ("inspect", "--colour", "x"),
            2,
            'sentence."; see bertshape inspect --help',
        ),
        (("some text",), 2, 'bertshape inspect "some text"'),
        (("inspct", "x"), 2, "Did you mean bertshape inspect?"),
        (("inspect", "hi", "org/name"), 2, "bertshape inspect hi -m org/name"),
        (("inspect", "org/name"), 2, 'bertshape inspect "A text." -m org/name'),
        (("inspect", "x", "-m", "embedded:bert-huge"), 3, "Did you mean embedded:bert-large-uncased?"),
        (("inspect", "x", "-m", "embedded:bert-bse"), 3, "Did you mean embedded:bert-base-uncased?"),
        (("inspect", "x", "--offline", "-m", "bert-base-uncased"), 4, "embedded:bert-base-uncased"),
        (("inspect", "x", "--offline", "-m", "google-bert/bert-base-uncased"), 4, "embedded:bert-base-uncased"),
        (("inspect", "x", "--dry-run", "-p", "mean@99"), 2, "hidden_states run from 0, the embeddings, to 12"),
        (("inspect", "x", "--dry-run", "-p", "pooler", "-m", "{distilbert}"), 2, "the model has no pooler"),
        (("inspect", "x", "--device", "gpus"), 2, "Use auto, cpu, cuda, cuda:N, gpu, N or mps."),
    ],
)
def test_the_line_that_was_meant(
    arguments: tuple[str, ...], code: int, words: str, run_cli: Command, tiny: object
) -> None:
    made = [tiny("distilbert") if part == "{distilbert}" else part for part in arguments]  # type: ignore[operator]
    done = run_cli(*map(str, made))
    assert done.returncode == code
    assert words in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert not done.stdout


def test_a_checkpoint_in_place_of_a_text(minilm: Path, run_cli: Command) -> None:
    """The answer would be one for the embedded model."""
    done = run_cli("inspect", str(minilm))
    assert done.returncode == 2
    assert f'bertshape inspect "A text." -m {minilm}' in done.stderr


def test_a_name_near_a_folder_here(tmp_path: Path, run_cli: Command) -> None:
    (tmp_path / "my-classifier").mkdir()
    done = run_cli("inspect", "x", "--offline", "-m", "my-clasifier", cwd=tmp_path)
    assert done.returncode == 4
    assert "no folder ./my-clasifier here" in done.stderr
    assert "Did you mean ./my-classifier?" in done.stderr


def test_a_folder_of_that_name_is_no_slip(minilm: Path, tmp_path: Path, run_cli: Command) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    for file in ("config.json", "tokenizer.json"):
        shutil.copy(minilm / file, tmp_path / "org" / "name")
    assert run_cli("inspect", "x", "-m", "org/name", "--dry-run", cwd=tmp_path).returncode == 0


def test_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    assert [*notes_on_texts(["one text", "another"])] == []
    assert re.search(r"3 texts of one word each.* inspect 'a b c'", next(notes_on_texts(["a", "b", "c"])))
    assert "bertshape inspect -i a.txt" in next(notes_on_texts(["a.txt"]))
    assert "empty" in next(notes_on_texts([""]))


def test_a_note_does_not_change_the_answer(run_cli: Command) -> None:
    done = run_cli("inspect", "a", "b", "c", "--dry-run", "--json")
    assert done.returncode == 0
    assert done.stderr.startswith("bertshape: note: 3 texts of one word each")
    assert len(done.stderr.splitlines()) == 1
