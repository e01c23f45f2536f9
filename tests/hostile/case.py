"""A row of the corpus, and the rules that every row must keep."""

from __future__ import annotations

import io
import json
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bertshape.cli.main import run
from tests.support.command_line import SECONDS
from tests.support.wording_check import check_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HAVE_JSON = ("inspect", "check", "diff", "embed", "profile", "doctor", "families", "poolings", "which", "memory")
NEVER = ("Traceback", "internal error", "\x1b[", "\N{RIGHT-TO-LEFT OVERRIDE}")
"""What no output has, whatever was put in."""


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes:
        id: Name, unique in the corpus.
        make: Makes the input in an empty folder, which is the working directory of the command.
        command: The command line.
        code: Expected exit code.
        words: What the output must say.
        stdin: What comes from stdin.
        shape: Expected shape of last_hidden_state, where the input is odd and yet sound.
        writes: Files that the command makes.
        json: Whether to run it a second time with `--json`.
        awaits: The known fault because of which it does not hold yet.
    """

    id: str
    make: Callable[[Path], object]
    command: tuple[str, ...]
    code: int
    words: tuple[str, ...]
    stdin: bytes = b""
    shape: tuple[int, ...] | None = None
    writes: tuple[str, ...] = ()
    json: bool = True
    awaits: str = ""


def nothing(_: Path) -> None:
    """No input at all."""


def hold(case: Case, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
    """Run a case as a person and as a program would, and hold both runs to the rules."""
    case.make(folder)
    before = _files(folder)
    patch.chdir(folder)
    # No line is broken, so that words are found whole.
    patch.setenv("COLUMNS", "2000")
    output, errors = _run(case, case.command, patch, capture)
    said = " ".join((output + errors).split())
    assert all(word in said for word in case.words), said[-3000:]
    assert not errors or errors.startswith(("bertshape: error: ", "bertshape: note: ")), errors
    assert len(errors.splitlines()) <= 2, errors
    if case.json and "--format" not in case.command and case.command[:1] and case.command[0] in HAVE_JSON:
        _hold_json(case, *_run(case, (case.command[0], "--json", *case.command[1:]), patch, capture))
    assert _files(folder) == sorted([*before, *case.writes]), "something was left behind"


def _run(
    case: Case, command: tuple[str, ...], patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(case.stdin)))
    with _alarm(case.id):
        code = run(command)
    output, errors = capture.readouterr()
    assert code == case.code, (output + errors)[-3000:]
    assert not [word for word in NEVER if word in output + errors], output + errors
    check_wording(command, output, errors)
    return output, errors


@contextmanager
def _alarm(name: str) -> Iterator[None]:
    """Break off a command that waits forever."""

    def ring(*_: object) -> None:
        pytest.exit(f"{name}: still not done after {SECONDS} seconds", 1)

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _hold_json(case: Case, output: str, errors: str) -> None:
    document = json.loads(output)
    said = " ".join("\n".join(_strings(document)).split())
    assert document["ok"] is (case.code == 0)
    if case.code in (0, 1):
        assert not errors or errors.startswith("bertshape: note: "), errors
    elif "checkpoints" not in document:
        assert all(document["error"][field] for field in ("code", "message", "hint")), document
        assert errors.startswith("bertshape: error: ")
    assert case.code == 0 or all(word in said for word in case.words), said[-3000:]
    if case.shape is not None:
        assert tuple(document["outputs"]["last_hidden_state"]["shape"]) == case.shape


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)


def _files(folder: Path) -> list[str]:
    """Everything below a folder, hidden and half-written files included."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
