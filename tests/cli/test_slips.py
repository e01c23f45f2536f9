"""Likely slips: each gets one line that says what was meant, with a command line that works."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from bertshape.cli.app import build_program
from bertshape.cli.slips import note_on_models, notes_on_texts

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
        (("inspect", "--colour", "x"), 2, "bertshape inspect x; see bertshape inspect --help"),
        (("some text",), 2, 'bertshape inspect "some text"'),
        (("inspct", "x"), 2, "bertshape inspect x; see"),
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


_HELPED = {
    "{folder} hi": "inspect hi -m {folder}",
    "-m {folder} hi": "inspect hi -m {folder}",
    "--model {folder} inspect hi": "inspect hi --model {folder}",
    "--json inspect hi": "inspect hi --json",
    "--verbose inspect hi": "inspect hi",
    "help inspct": "inspect --help",
    "-v": "--version",
    "version": "--version",
    "compare ./a ./b": "diff ./a ./b",
    "encode t.txt -o v.npz -m ./m": "embed t.txt -o v.npz -m ./m",
    "some text here": 'inspect "some text here"',
    "t.txt": "inspect -i t.txt",
    "bert-base-uncased": 'inspect "A text." -m bert-base-uncased',
    "org/name 'a text'": 'inspect "a text" -m org/name',
    "inspect hi -m": "inspect hi -m ./my-model",
    "inspect hi --max-length 0": "inspect hi --max-length 128",
    "inspect hi --max_length 8": "inspect hi --max-length 8",
    "inspect hi --max-seq-length 8": "inspect hi --max-length 8",
    "inspect hi --pool mean": "inspect hi --pooling mean",
    "inspect hi --pool=mean": "inspect hi --pooling=mean",
    "inspect hi --format jsn": "inspect hi --format json",
    "inspect hi -e hidden_size=3 -m ./m": "check ./m -e hidden_size=3",
    "embed -i t.txt -m ./m -o v.npz": "embed t.txt -m ./m -o v.npz",
    "embed t.txt {folder} -o v.npz": "embed t.txt -o v.npz -m {folder}",
    "embed {folder} t.txt -o v.npz": "embed t.txt -o v.npz -m {folder}",
    "embed t.txt -m ./m -o v.npz --force": "embed t.txt -m ./m -o v.npz",
    "profile t.txt --batch-size 4,32": "profile t.txt --batch-size 4 --batch-size 32",
    "profile t.txt -q": "profile t.txt",
    "check --model=./m": "check ./m",
    "memory -m ./m --length 8": "memory ./m --length 8",
    "diff -m ./a -m ./b": "diff ./a ./b",
    "check ./m -e": "check ./m -e hidden_size=384",
    "poolings mean": "poolings",
    "schema inspect check": "schema inspect",
    "which v.npz t.txt -m ./m": "which v.npz -m ./m --texts t.txt",
    "inspect \u2013m {folder} hi": "inspect -m {folder} hi",
    "inspect hi \u2014model {folder}": "inspect hi --model {folder}",
    "inspect hi -m {folder}/config.json": None,
}
"""What people type, and the line that they are shown."""


@pytest.mark.parametrize("typed", _HELPED)
def test_a_slip_is_answered_by_a_line_that_works(
    typed: str, run_cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was typed nothing is lost, and the line is one that Typer takes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m1").mkdir()
    (tmp_path / "m1" / "config.json").write_text("{}")
    (tmp_path / "t.txt").write_text("a text\n")
    done = run_cli(*(part.format(folder="./m1") for part in shlex.split(typed)), cwd=tmp_path)
    meant = _HELPED[typed]
    if meant is None:
        assert done.returncode == 3
        assert "Pass the folder that holds it: ./m1." in done.stderr
        return
    line = meant.format(folder="./m1")
    assert done.returncode == 2
    assert f"bertshape {line}" in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    words = shlex.split(line)
    if words[-1] not in ("--help", "--version"):
        assert callable(build_program(words).main(args=words, standalone_mode=False))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("help nonsense", "See bertshape --help."),
        ("inspect hi -p Mean --dry-run", "Did you mean mean?"),
        ("inspect hi -p average --dry-run", "Did you mean mean?"),
        ("inspect hi -p pooling_mode_cls_token --dry-run", "Did you mean cls?"),
        ("inspect hi --task feature-extraction --dry-run", "leave --task out"),
        ("inspect hi --task text-generation --dry-run", "task of decoders"),
        ("inspect hi -m ./m2 --dry-run", "Did you mean ./m1?"),
        ("diff ./m1@main ./m1", "A folder has no revisions: pass ./m1."),
        ("profile t.tx", "Did you mean t.txt?"),
        ("profile m1", "It is the folder of a checkpoint: pass it as -m m1"),
        ("embed 'a text' -o v.npz --weights random", "texts come from files"),
        ("inspect hi --max-length x", "'x' is no whole number"),
        ("check m1 hidden_size=384 num_layers=2", "bertshape check m1 -e hidden_size=384 -e num_layers=2"),
        ("poolings mean", "there is no place for mean"),
    ],
)
def test_other_slips(typed: str, words: str, run_cli: Command, tmp_path: Path) -> None:
    (tmp_path / "m1").mkdir()
    (tmp_path / "m1" / "config.json").write_text("{}")
    (tmp_path / "t.txt").write_text("a text\n")
    done = run_cli(*shlex.split(typed), cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 2


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
    assert re.search(r'3 texts of one word each.* inspect "a b c"', next(notes_on_texts(["a", "b", "c"])))
    assert "bertshape inspect -i a.txt" in next(notes_on_texts(["a.txt"]))
    assert "empty" in next(notes_on_texts([""]))
    assert "bertshape inspect -i -" in next(notes_on_texts(["-"]))
    assert "-p mean,cls" in next(notes_on_texts(["hi", "cls"], ["mean"]))
    assert [*notes_on_texts(["hi", "cls"])] == []
    assert [*note_on_models(["inspect", "x", "-m", "a", "--", "-m", "b"])] == []
    assert "bertshape diff a b" in next(note_on_models(["inspect", "x", "-m", "a", "--model=b"]))


def test_a_text_may_begin_with_a_dash(run_cli: Command) -> None:
    """So does direct speech in Spanish and French."""
    assert run_cli("inspect", "\u2014Hola, dijo.", "\u2014s\u00ed", "--dry-run", "-q").returncode == 0


def test_a_note_does_not_change_the_answer(run_cli: Command) -> None:
    done = run_cli("inspect", "a", "b", "c", "--dry-run", "--json")
    assert done.returncode == 0
    assert done.stderr.startswith("bertshape: note: 3 texts of one word each")
    assert len(done.stderr.splitlines()) == 1
