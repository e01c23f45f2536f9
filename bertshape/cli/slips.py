"""Command lines that are likely to mean something else: what was meant, as a line that works."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from bertshape.cli.commands import COMMANDS, PANEL_OF
from bertshape.cli.corrections import is_checkpoint, with_command, without_command
from bertshape.errors import UsageError
from bertshape.pooling.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SHOWN = 60
_MANY_WORDS = 3
"""From so many texts of one word each on, a sentence without quotes is likelier than a batch of words."""
_LONG_DASH = re.compile(r"[\u2010-\u2015\u2212]{1,2}([A-Za-z][A-Za-z-]*)(=.*)?")
_PAIR = re.compile(r"[a-z][a-zA-Z0-9_.@]*[=!<>]=?[^=/]+")
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212-"
_PLAIN_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def usage_hint(message: str, arguments: Sequence[str], parses: Callable[[list[str]], bool]) -> str:
    """What to do after a usage error: a line that would have worked, and the help of the command.

    Args:
        message: What Typer says.
        arguments: The command line without the program's name.
        parses: Whether a command line is one that Typer takes.
    """
    called = arguments[0] if arguments and arguments[0] in COMMANDS else ""
    meant = with_command(message, arguments) if called else without_command(arguments)
    line = next((shown_line(other) for other in meant if parses(other)), None)
    if not called:
        return f"{line}; see bertshape --help." if line else "See bertshape --help."
    return f"{line or COMMANDS[called].examples[0][0]}; see bertshape {called} --help."


def plain_message(message: str) -> str:
    """What Typer says of a value, in words that name no type: `x>=1` is how it writes at least 1."""
    message = re.sub(r"Got unexpected extra argument\(s\) \((.*)\)", r"there is no place for \1", message)
    message = re.sub(r" is not a valid int(?: range)?\.", " is no whole number", message)
    message = re.sub(r" is not a valid float(?: range)?\.", " is no number", message)
    return re.sub(r" is not in the range x>=(\S+?)\.$", r" is too small; at least \1 is expected", message)


def shown_line(arguments: Sequence[str]) -> str:
    """A command line as a person would write it: texts in double quotes."""
    return " ".join(["bertshape", *map(_quoted, arguments)])


def _quoted(argument: str) -> str:
    if _PLAIN_WORD.fullmatch(argument):
        return argument
    shown = argument if len(argument) <= _SHOWN else f"{argument[:_SHOWN]}..."
    # In double quotes these mean something to a shell.
    return shlex.quote(shown) if re.search(r'["$`\\!]', shown) else f'"{shown}"'


def check_checkpoints(names: Sequence[str]) -> None:
    """Refuse an expectation that stands among the checkpoints: `check M hidden_size=384`.

    Raises:
        UsageError: One reads as NAME=VALUE, and is no path.
    """
    pairs = [name for name in names if _PAIR.fullmatch(name) and not os.path.exists(name)]
    if pairs:
        others = [name for name in names if name not in pairs] or ["CHECKPOINT"]
        expected = [word for pair in pairs for word in ("-e", pair)]
        raise UsageError(
            f"{pairs[0]} is an expectation, and stands among the checkpoints",
            hint=shown_line(["check", *others, *expected]),
            code="expectation-misplaced",
        )


def check_texts(texts: Sequence[str], model: str | None) -> None:
    """Refuse texts that are checkpoints: the answer would be one for the embedded model.

    Args:
        texts: Texts of the command line.
        model: What --model says.

    Raises:
        UsageError: One is the folder of a checkpoint, or looks like a Hub id.
    """
    for text in texts:
        if _is_option(text):
            hint = f"Write hyphens: {shown_line(['inspect', *map(_with_hyphens, texts)])}"
            raise UsageError(f"the text {text!r} begins with a dash, no hyphen", hint=hint, code="text-is-option")
        if not is_checkpoint(text) or (model is not None and not os.path.isdir(text)):
            continue
        others = [other for other in texts if other != text] or ["A text."]
        what = "is the folder of a checkpoint" if os.path.isdir(text) else "looks like the name of a checkpoint"
        raise UsageError(
            f"the text {text!r} {what}",
            hint=f"{shown_line(['inspect', *others, '-m', text])}; or pass it as a text by stdin: -i -",
            code="text-is-checkpoint",
        )


def _is_option(text: str) -> bool:
    found = _LONG_DASH.fullmatch(text)
    return found is not None and (len(found[1]) == 1 or found[1].replace("-", "_") in PANEL_OF)


def _with_hyphens(text: str) -> str:
    """`-m` for a word that begins with a long dash, as editors and web pages write it."""
    if not _is_option(text):
        return text
    name = text.lstrip(_DASHES)
    return f"{'--' if len(name.partition('=')[0]) > 1 else '-'}{name}"


def notes_on_texts(texts: Sequence[str], pooling: Sequence[str] = ()) -> Iterator[str]:
    """What a person may have meant otherwise; nothing is refused.

    Args:
        texts: Texts of the command line.
        pooling: Strategies of the command line.
    """
    if len(texts) >= _MANY_WORDS and all(text and not re.search(r"\s", text) for text in texts):
        line = shown_line(["inspect", " ".join(texts).strip("\u201c\u201d\u201e")])
        yield f"{len(texts)} texts of one word each; to make them one text, quote it: {line}"
    for text in texts:
        if text and os.path.isfile(text):
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
            yield f"the text {shown!r} is the name of a file here; to read its texts: bertshape inspect -i {shown}"
        elif text == "-":
            yield "the text is a hyphen; to read texts from stdin: bertshape inspect -i -"
    if any(not text.strip() for text in texts):
        yield "a text is empty: only special tokens remain"
    strategies = [text for text in texts if pooling and text in STRATEGIES]
    if strategies:
        joined = ",".join([*pooling, *strategies])
        yield f"{strategies[0]!r} is taken for a text; to name several strategies, join them by comma: -p {joined}"


def note_on_models(arguments: Sequence[str]) -> Iterator[str]:
    """That a model is named twice, of which only the last counts.

    Args:
        arguments: The command line without the program's name.
    """
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    models = [before[at + 1] for at, argument in enumerate(before[:-1]) if argument in ("-m", "--model")]
    models += [argument.partition("=")[2] for argument in before if argument.startswith("--model=")]
    if len(set(models)) > 1:
        yield f"--model is given twice, and the last counts; to compare: {shown_line(['diff', *models[:2]])}"
