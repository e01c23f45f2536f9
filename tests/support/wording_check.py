"""What any test makes a command print: hints name commands and options that there are, and one thing has no plural."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from bertshape.cli.app import build_program, command_function
from bertshape.cli.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED = re.compile(rf"\b({'|'.join(COMMANDS)})\b|(?<![\w-])(--?[a-z][a-z-]*)")
_OTHER_PROGRAMS = re.compile(r"\b(?:pip|hf|gzip|git|iconv|python) .*")
_PROGRAM_LINE = re.compile(r"(?:^|: )bertshape (?!.* writes )(\w[^>|]*)")
_NOUNS = "array|batche|byte|checkpoint|column|expectation|file|head|label|layer|line|model|name|text|token|vector|word"
_ONE_OF_MANY = re.compile(rf"(?<![\w.,:\[-])1 (?:[a-z]+ )?(?:{_NOUNS})s\b")


def check_wording(arguments: tuple[str, ...], output: str, errors: str) -> None:
    """Fail where a hint names an option that its command lacks, or where `1 texts` stands.

    Args:
        arguments: The command line that was run.
        output: What it printed.
        errors: What it printed on stderr.
    """
    called = arguments[0] if arguments and arguments[0] in COMMANDS else None
    for hint in {*_of_document(output), *re.findall(r"^  hint: (.*)$", errors, re.M)}:
        assert _faults(hint, called) == [], f"{arguments}: {hint}"
    assert _ONE_OF_MANY.search(output + errors) is None, (arguments, _ONE_OF_MANY.findall(output + errors))


def _of_document(output: str) -> Iterator[str]:
    for line in output.splitlines():
        if line.startswith("{") and line.endswith("}"):
            yield from _hints(json.loads(line))


def _hints(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(value.get("hint"), str):
        yield value["hint"]
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _hints(part)


def _faults(hint: str, called: str | None) -> list[str]:
    """Options of a hint that are none of the command that it names before them, or of the one that was called."""
    faults = []
    for clause in re.split(r"; |\.(?: |$)", _OTHER_PROGRAMS.sub("", hint.replace("`", ""))):
        command = called
        for found in _NAMED.finditer(clause):
            command = found[1] or command
            if found[2] and command is not None and found[2] not in _options(command):
                faults.append(f"{command} {found[2]}")
        line = _PROGRAM_LINE.search(clause)
        if line is not None and not _parses(line[1]):
            faults.append(line[0])
    return faults


@cache
def _options(command: str) -> frozenset[str]:
    app = typer.Typer()
    app.command()(command_function(command))
    parameters = typer.main.get_command(app).params
    names = (name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts))
    return frozenset((*names, "--help", "-h"))


@cache
def _parses(line: str) -> bool:
    try:
        words = shlex.split(line)
        return "--help" in words or callable(build_program(words).main(args=words, standalone_mode=False))
    except Exception:
        return False
