"""`snapshot`: nothing of a user's files is lost, updates show what they change, and the checkpoint is found again."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hostile.model import sound, with_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

    Command = Callable[..., Run]

EXISTS = "exists and says something else"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sound checkpoint `m`, as working directory."""
    place = tmp_path / "here"
    sound(place)
    monkeypatch.chdir(place)
    return place


def model_of(path: str) -> str:
    model = tomllib.loads(Path(path).read_text())["checkpoint"][0]["model"]
    assert isinstance(model, str)
    return model


def change_the_checkpoint(here: Path) -> None:
    with_config(max_position_embeddings=20)(here.parent / "other")
    for name in ("config.json",):
        (here / "m" / name).write_bytes((here.parent / "other" / "m" / name).read_bytes())


def test_an_edited_contract_is_not_overwritten_unasked(run_cli: Command) -> None:
    assert run_cli("snapshot", "m", "-o", "c.toml").returncode == 0
    path = Path("c.toml")
    edited = path.read_text().replace('"hidden_size=8",', '"hidden_size=8",  # as the index')
    path.write_text(edited)
    done = run_cli("snapshot", "m", "-o", "c.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert EXISTS in done.stderr
    assert "--update" in done.stderr
    assert "--force" in done.stderr
    assert path.read_text() == edited
    assert run_cli("snapshot", "m", "-o", "c.toml", "--force").returncode == 0
    assert path.read_text() == edited.replace("  # as the index", "")


def test_the_same_again_is_no_change(run_cli: Command) -> None:
    run_cli("snapshot", "m", "-o", "c.toml")
    os.utime("c.toml", (1, 1))
    for arguments in ((), ("--update",)):
        done = run_cli("snapshot", "m", "-o", "c.toml", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert os.stat("c.toml").st_mtime == 1, "not even written"
    assert done.stdout == "c.toml: no changes\n"


def test_an_update_says_what_it_changes(run_cli: Command, here: Path) -> None:
    run_cli("snapshot", "m", "-o", "c.toml")
    path = Path("c.toml")
    path.write_text(path.read_text().replace("expect = [", 'expect = [\n    "num_layers>=1",  # mine'))
    change_the_checkpoint(here)
    assert "max_position_embeddings: expected 16, got 20" in run_cli("check", "--contract", "c.toml").stdout
    done = run_cli("snapshot", "m", "-o", "c.toml", "--update", "--text", "two words")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"c.toml: {len(lines) - 1} changes"
    assert "  max_position_embeddings=16 -> max_position_embeddings=20" in lines
    assert "  text 'two words' added" in lines
    assert '"num_layers>=1",  # mine' in path.read_text()
    assert "max_position_embeddings: expected" not in run_cli("check", "--contract", "c.toml").stdout


def test_an_update_adds_a_checkpoint_that_the_file_lacks(run_cli: Command) -> None:
    run_cli("snapshot", "m", "-o", "c.toml")
    before = Path("c.toml").read_text()
    done = run_cli("snapshot", "embedded:bert-tiny-uncased", "-o", "c.toml", "--update")
    assert done.stdout == "c.toml: 1 change\n  checkpoint embedded:bert-tiny-uncased added\n"
    assert Path("c.toml").read_text().startswith(f"{before}\n[[checkpoint]]\n")
    assert "2 checkpoints: all passed" in run_cli("check", "--contract", "c.toml").stdout
    assert run_cli("snapshot", "embedded:bert-tiny-uncased", "-o", "c.toml", "--update").stdout.endswith("no changes\n")


def test_an_update_of_nothing_is_a_new_file(run_cli: Command) -> None:
    assert run_cli("snapshot", "m", "-o", "c.toml", "--update").returncode == 0
    assert model_of("c.toml") == "./m"


@pytest.mark.parametrize("name", ["m/config.json", "m/model.safetensors", "notes.txt"])
def test_another_file_is_not_taken_for_a_contract(run_cli: Command, name: str) -> None:
    Path("notes.txt").write_text("expect rain")
    before = Path(name).read_bytes()
    done = run_cli("snapshot", "m", "-o", name)
    reason = "would be a file of the checkpoint" if name.startswith("m/") else "exists and is no contract"
    assert (done.returncode, f"{name} {reason}" in done.stderr) == (2, True)
    assert run_cli("snapshot", "m", "-o", name, "--update").returncode == 2
    assert Path(name).read_bytes() == before
    assert run_cli("snapshot", "m", "-o", name, "--force").returncode == 0
    assert Path(name).read_text().startswith("[[checkpoint]]")


def test_a_project_gets_a_table_and_keeps_the_rest(run_cli: Command) -> None:
    project = '[project]\nname = "x"  # y\n\n[tool.ruff]\nline-length = 3\n'
    Path("pyproject.toml").write_text(project)
    for arguments, hint in (((), "--update to add [tool.bertshape]"), (("--force",), "--update to write")):
        done = run_cli("snapshot", "m", "-o", "pyproject.toml", *arguments)
        assert (done.returncode, hint in done.stderr) == (2, True)
    assert Path("pyproject.toml").read_text() == project
    assert run_cli("snapshot", "m", "-o", "pyproject.toml", "--update").returncode == 0
    assert Path("pyproject.toml").read_text().startswith(f"{project}\n[[tool.bertshape.checkpoint]]\n")
    assert run_cli("check").returncode == 0
    done = run_cli("snapshot", "m", "-o", "pyproject.toml", "--update")
    assert done.stdout == "pyproject.toml: no changes\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "c.toml", "--update", "--force"), "both --update and --force"),
        (("--update",), "there is no file"),
        (("--force",), "there is no file"),
        (("-o", "."), "not the path of a file"),
    ],
)
def test_options_that_do_not_fit_together(run_cli: Command, arguments: tuple[str, ...], words: str) -> None:
    done = run_cli("snapshot", "./absent", *arguments)
    assert (done.returncode, words in done.stderr) == (2, True)


def test_a_linked_checkpoint_is_named_as_it_was_written(run_cli: Command, here: Path, tmp_path: Path) -> None:
    """Where the link leads is no part of the contract: it may lead elsewhere on another machine."""
    (tmp_path / "store" / "deep").mkdir(parents=True)
    (here / "m").rename(tmp_path / "store" / "deep" / "m")
    (here / "models").mkdir()
    (here / "models" / "m").symlink_to(tmp_path / "store" / "deep" / "m")
    assert run_cli("snapshot", "models/m", "-o", "c.toml").returncode == 0
    assert model_of("c.toml") == "./models/m"
    Path("sub").mkdir()
    assert run_cli("snapshot", "models/m", "-o", "sub/c.toml").returncode == 0
    assert model_of("sub/c.toml") == "../models/m"
    assert run_cli("snapshot", str(here / "models" / "m"), "-o", "absolute.toml").returncode == 0
    assert model_of("absolute.toml") == str(here / "models" / "m")
    assert 'model = "./models/m"' in run_cli("snapshot", "models/m").stdout


def test_the_checkpoint_is_found_from_every_working_directory(
    run_cli: Command, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`..` after a link is where the link leads: there the text of a path alone would mislead."""
    (tmp_path / "away" / "sub").mkdir(parents=True)
    (here / "link").symlink_to(tmp_path / "away" / "sub")
    (here / "inner").symlink_to(here / "m")
    for number, (model, output) in enumerate(
        [("m", "c.toml"), ("m", "link/c.toml"), ("link/../../here/m", "d.toml"), ("inner", "link/d.toml")]
    ):
        assert run_cli("snapshot", model, "-o", output).returncode == 0
        for folder in (here, tmp_path, tmp_path / "away"):
            monkeypatch.chdir(folder)
            contract = os.path.relpath(os.path.realpath(here / output))
            done = run_cli("check", "--contract", contract, "-q")
            assert (done.returncode, done.stdout) == (0, ""), (number, folder, (here / output).read_text())
        monkeypatch.chdir(here)


@pytest.mark.parametrize("name", ["model.safetensors", "modules.json"])
def test_no_contract_of_what_cannot_be_read(name: str, run_cli: Command, here: Path) -> None:
    """A named pipe, which nobody writes to, would leave a contract without tensors or pooling."""
    (here / "m" / name).unlink(missing_ok=True)
    os.mkfifo(here / "m" / name)
    done = run_cli("snapshot", "m", "-o", "c.toml")
    assert (done.returncode, (here / "c.toml").exists()) == (3, False)
    assert "not a regular file" in done.stderr
