"""From a command line that Typer refuses to the one that was meant."""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING

from bertshape.checkpoint.locate import embedded_names
from bertshape.cli.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)
_MODEL, _INPUT = ("-m", "--model"), ("-i", "--input", "--file", "--texts", "--text-file")
_EXPECT = ("-e", "--expect")
_TAKES_MODEL = ("check", "snapshot", "diff", "memory")
"""Commands whose checkpoint is an argument."""
_TAKES_FILE = ("embed", "profile")
"""Commands whose texts are an argument."""
_OTHER_NAMES = {
    "compare": "diff", "validate": "check", "verify": "check", "test": "check", "lint": "check",
    "encode": "embed", "embeddings": "embed", "vectors": "embed",
    "tokenize": "inspect", "shape": "inspect", "shapes": "inspect", "show": "inspect", "info": "inspect",
    "run": "inspect", "pool": "inspect", "stats": "profile", "models": "families", "strategies": "poolings",
    "pooling": "poolings", "identify": "which", "freeze": "snapshot", "lock": "snapshot",
}  # fmt: skip
"""What commands are called elsewhere."""
_OTHER_OPTIONS = {
    "--max-seq-length": "--max-length", "--seq-length": "--max-length", "--out": "--output", "--out-file": "--output",
    "--output-file": "--output", "--pool": "--pooling", "--pooling-mode": "--pooling", "--model-name": "--model",
    "--model-id": "--model", "--checkpoint": "--model", "--batch": "--batch-size", "-b": "--batch-size",
    "-f": "--format", "--torch-dtype": "--dtype", "--local-files-only": "--offline", "--expectation": "--expect",
}  # fmt: skip
"""What options are called elsewhere."""
_WITHOUT_USE = ("-v", "--verbose", "-q", "--quiet", "-y", "--yes", "--force", "--no-color", "--color", "--colour")
"""Options that a command line can do without, where the command has none of them."""
_VALUES = {
    "-m": "./my-model", "--model": "./my-model", "-o": "FILE", "--output": "FILE", "-e": "hidden_size=384",
    "--expect": "hidden_size=384", "-p": "mean", "--pooling": "mean", "-i": "corpus.txt", "--input": "corpus.txt",
    "--max-length": "128", "--batch-size": "32", "--task": "all", "--texts": "corpus.txt", "--device": "cpu",
}  # fmt: skip
"""A value for an option that got none, or none that will do."""
_MISSING = {"'--output'": ("-o", "vectors.npz"), "'FILE|-'": ("corpus.txt",), "'FILE...'": ("corpus.txt",)}
"""What to add to a command line that lacks an option or an argument, by its name in Typer's message."""


def is_checkpoint(argument: str) -> bool:
    """Whether an argument is the folder of a checkpoint, or looks like a Hub id."""
    if any(os.path.isfile(os.path.join(argument, name)) for name in ("config.json", "modules.json")):
        return True
    if argument.startswith("embedded:") or argument in embedded_names():
        return True
    return _HUB_ID.fullmatch(argument) is not None and not os.path.lexists(argument)


def without_command(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Command lines that may be meant by one that begins with no command, the likeliest first."""
    first = arguments[0].lower() if arguments else ""
    if first == "help":
        yield from ([near, "--help"] for near in _near_commands(arguments[1] if len(arguments) > 1 else ""))
        return
    if first in ("version", "-v", "--ver"):
        yield ["--version"]
        return
    later = next((index for index, argument in enumerate(arguments) if argument in COMMANDS), None)
    if later is not None:
        yield from ([*arguments[later:], *arguments[:later]], [*arguments[later:]])
    for near in _near_commands(first):
        yield [near, *arguments[1:]]
    words, options = _words_and_options(arguments)
    models = [word for word in words if is_checkpoint(word)]
    if len(models) == 1 and not set(_MODEL).intersection(options):
        words.remove(models[0])
        options += ["-m", models[0]]
    if len(words) == 1 and os.path.isfile(words[0]):
        yield ["inspect", "-i", words[0], *options]
    yield ["inspect", " ".join(words) or "A text.", *options]


def with_command(message: str, arguments: Sequence[str]) -> Iterator[list[str]]:
    """Command lines that may be meant by one that Typer refuses with this message, the likeliest first."""
    called, rest = arguments[0], list(arguments[1:])
    if unknown := re.match(r"No such option: (\S+)(?: \(Possible options?: (.*)\))?", message):
        suggested = (unknown[2] or "").split(", ") if unknown[2] else []
        yield from ([called, *line] for line in _other_option(called, rest, unknown[1], suggested))
        if unknown[1] in _EXPECT:
            yield from _check_instead(rest)
    elif extra := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message):
        yield from ([called, *line] for line in _without_extra(called, rest, extra[1].split()))
    elif message.startswith("Missing"):
        added = next((added for name, added in _MISSING.items() if name in message), None)
        line = [called, *rest, *(added or ())]
        needs_model = called == "embed" and not {*_MODEL, "--weights"}.intersection(rest)
        yield from [[*line, *(("-m", "./my-model") if needs_model else ())]] if added else []
    elif bare := re.match(r"Option '(\S+)' requires an argument", message):
        yield from [[called, *rest, _VALUES[bare[1]]]] if bare[1] in _VALUES else []
    elif bad := re.match(r"Invalid value for '(\S+)'", message):
        yield from ([called, *line] for line in _other_value(rest, bad[1], message))


def _near_commands(word: str) -> list[str]:
    if word.lower() in _OTHER_NAMES:
        return [_OTHER_NAMES[word.lower()]]
    return difflib.get_close_matches(word.lower(), COMMANDS, n=1, cutoff=0.7)


def _words_and_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Arguments that are texts, and options with their values."""
    words: list[str] = []
    options: list[str] = []
    for argument in arguments:
        takes = bool(options) and options[-1] in _VALUES
        (options if argument.startswith("-") or takes else words).append(argument)
    return words, options


def _other_option(called: str, rest: list[str], option: str, suggested: list[str]) -> Iterator[list[str]]:
    at = next((index for index, argument in enumerate(rest) if argument.split("=")[0] == option), None)
    if at is None:
        return
    name, joined, value = rest[at].partition("=")
    if (option in _MODEL and called in _TAKES_MODEL) or (option in _INPUT and called in _TAKES_FILE):
        values = [argument.partition("=")[2] if argument.startswith(f"{option}=") else argument for argument in rest]
        yield [argument for argument in values if argument != option]
    plain = "-" * (len(name) - len(name.lstrip("-"))) + name.lstrip("-").replace("_", "-").lower()
    near = [other for other in suggested if other.startswith(plain)] or difflib.get_close_matches(
        plain, suggested, n=1, cutoff=0.75
    )
    for other in (plain, _OTHER_OPTIONS.get(plain), *near):
        if other is not None and other != name:
            yield [*rest[:at], other + joined + value, *rest[at + 1 :]]
    if name in _WITHOUT_USE:
        yield rest[:at] + rest[at + 1 :]


def _check_instead(rest: Sequence[str]) -> Iterator[list[str]]:
    """Expectations are for `check`, whose checkpoint is an argument."""
    model = next((rest[at + 1] for at, argument in enumerate(rest[:-1]) if argument in _MODEL), "./my-model")
    expected = next((rest[at + 1] for at, argument in enumerate(rest[:-1]) if argument in _EXPECT), _VALUES["-e"])
    yield ["check", model, "-e", expected]


def _without_extra(called: str, rest: list[str], extra: list[str]) -> Iterator[list[str]]:
    models = [argument for argument in rest if is_checkpoint(argument)]
    if len(models) == 1 and not set(_MODEL).intersection(rest):
        yield [*(argument for argument in rest if argument != models[0]), "-m", models[0]]
    if called == "which" and len(extra) == 1:
        yield [*(argument for argument in rest if argument != extra[0]), "--texts", extra[0]]
    if called in ("families", "poolings", "doctor", "schema", "snapshot"):
        yield [argument for argument in rest if argument not in extra]


def _other_value(rest: list[str], option: str, message: str) -> Iterator[list[str]]:
    at = next((index for index, argument in enumerate(rest) if argument.split("=")[0] == option), None)
    if at is None:
        return
    joined = "=" in rest[at]
    value = rest[at].partition("=")[2] if joined else rest[at + 1]
    before, behind = rest[:at], rest[at + (1 if joined else 2) :]
    numbers = [number for number in re.split(r"[,\s]+", value) if number.isdigit()]
    if len(numbers) > 1:
        yield [*before, *(part for number in numbers for part in (option, number)), *behind]
    choices = re.findall(r"'([^']*)'", message.partition("is not one of")[2])
    near = difflib.get_close_matches(value.lower(), choices, n=1, cutoff=0.4)
    for other in (*near, *choices[:1]) or (_VALUES.get(option, "1"),):
        yield [*before, option, other, *behind]
