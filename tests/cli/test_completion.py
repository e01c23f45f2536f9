"""Shell completion, by the protocol of each shell, and what it offers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from bertshape.checkpoint.locate import embedded_names
from bertshape.cli import completion, completion_expect
from bertshape.contract.expectations import BEHAVIOURS
from bertshape.pipelines.facts import SCALAR_NAMES
from bertshape.pipelines.vector_facts import RECIPE_NAMES, TOKENIZER_NAMES
from bertshape.pooling.strategies import STRATEGIES
from tests.support.command_line import SECONDS, call

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = ("bash", "zsh", "fish")


def complete(shell: str, line: str, folder: Path | str = ".") -> list[str]:
    """What a shell is offered at the end of a line."""
    words = line.split(" ")
    variables = {"_BERTSHAPE_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        variables |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    else:
        variables |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = call(columns=80, cwd=folder, **variables)
    assert done.stderr == ""
    if shell == "zsh":
        return [
            part.split('"')[1].replace("\\:", ":").split(":", 1)[0] for part in done.stdout.splitlines() if '"' in part
        ]
    return [word.split("\t")[0] for word in done.stdout.split("\n") if word]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_answered(shell: str) -> None:
    assert "mean_max" in complete(shell, "bertshape inspect --pooling mean_")
    assert "inspect" in complete(shell, "bertshape insp")
    assert complete(shell, "bertshape inspect --task mas") == ["masked-lm"]
    assert "markdown" in complete(shell, "bertshape inspect --format mark")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_to_install_names_the_program(shell: str) -> None:
    done = call("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_BERTSHAPE_COMPLETE" in done.stdout


def test_models_are_embedded_ones_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "minilm").mkdir(parents=True)
    (tmp_path / "models" / "minilm" / "config.json").write_text("{}")
    (tmp_path / "models" / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    monkeypatch.chdir(tmp_path)
    assert completion.complete_model("embedded:") == [f"embedded:{name}" for name in embedded_names()]
    assert completion.complete_model("mod") == ["models/"]
    assert completion.complete_model("models/") == ["models/minilm"]
    assert ".hidden/" not in completion.complete_model("")
    assert completion.complete_model("nosuch/") == []
    assert complete("bash", "bertshape inspect --model models/m", tmp_path) == ["models/minilm"]


def test_names_are_those_that_are_taken() -> None:
    assert completion.complete_pooling("") == list(STRATEGIES)
    assert completion.complete_pooling("cls+mea")[0] == "cls+mean"
    assert completion_expect.complete_expectation("") == [
        *BEHAVIOURS,
        *(f"{name}=" for name in (*SCALAR_NAMES, *RECIPE_NAMES, *TOKENIZER_NAMES)),
    ]
    assert completion.complete_task("a") == ["all"]


def test_what_may_not_be_looked_at_is_passed_over() -> None:
    """A user who is not there; a folder whose inside is closed is not, for it may hold more folders."""
    assert completion.complete_model("~nosuchuser/x") == []


def test_values_of_expectations_and_documents() -> None:
    assert completion_expect.complete_expectation("pooling=me") == [
        f"pooling={name}" for name in STRATEGIES if name.startswith("me")
    ]
    assert "model_type=bert" in complete("zsh", "bertshape check -e model_type=ber")
    assert completion_expect.complete_expectation("hidden_size=") == []
    assert complete("fish", "bertshape schema prof") == ["profile"]
    assert "cuda" in complete("fish", "bertshape embed --device c")


@pytest.mark.slow
def test_bash_itself_completes_values(tmp_path: Path) -> None:
    """Bash cuts words at `=` and `:`, which no protocol of a completion class shows."""
    pexpect = pytest.importorskip("pexpect")
    program = tmp_path / "bertshape"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bertshape "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TERM": "dumb"}
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        env=environment,
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 200),
    )
    shell.sendline(
        "bind 'set enable-bracketed-paste off'; PS1='READY> '; export _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION=1"
    )
    shell.sendline('eval "$(bertshape --show-completion bash)"')
    completed = {
        "bertshape check m -e pooling=weig": "bertshape check m -e pooling=weightedmean ",
        "bertshape check m -e model_type=nomi": "bertshape check m -e model_type=nomic_bert ",
        "bertshape inspect hi --pooling=weig": "bertshape inspect hi --pooling=weightedmean ",
        "bertshape inspect -m embedded:bert-ti": "bertshape inspect -m embedded:bert-tiny-uncased ",
        "bertshape inspect hi --device cuda:": "bertshape inspect hi --device cuda:0 ",
        "bertshape schema prof": "bertshape schema profile ",
    }
    for typed, line in completed.items():
        shell.send(f"{typed}\t\x01echo 'SEEN \x05'\n")
        shell.expect(r"\r\nSEEN (.*?)\r\n")
        assert shell.match[1] == line
    shell.close(force=True)
