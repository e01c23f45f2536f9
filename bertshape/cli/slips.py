"""Command lines that are likely to mean something else: what was meant, as a line that works."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from typing import TYPE_CHECKING

from bertshape.cli.commands import COMMANDS
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)
_SHOWN = 60
_MANY_WORDS = 3
"""From so many texts of one word each on, a sentence without quotes is likelier than a batch of words."""
_COMPLETIONS = {"'--output'": "-o vectors.npz", "'FILE|-'": "corpus.txt", "'FILE...'": "corpus.txt"}
"""What to add to a command line that lacks an option or an argument, by its name in Typer's message."""


def usage_hint(message: str, arguments: Sequence[str]) -> str:
    """What to do after a usage error: a line that would have worked, and the help of the command.

    Args:
        message: What Typer says.
        arguments: The command line without the program's name.
    """
    called = next((argument for argument in arguments if not argument.startswith("-")), "")
    if called not in COMMANDS:
        return _no_command(called)
    missing = next(
        (added for name, added in _COMPLETIONS.items() if message.startswith("Missing") and name in message), ""
    )
    line = f"bertshape {shlex.join([*arguments])} {missing}" if missing else COMMANDS[called].examples[0][0]
    if called == "embed" and missing and not {"-m", "--model", "--weights"}.intersection(arguments):
        line = f"{line} -m ./my-model"
    return f"{line}; see bertshape {called} --help."


def _no_command(called: str) -> str:
    near = difflib.get_close_matches(called, COMMANDS, n=1, cutoff=0.7)
    if near:
        return f"Did you mean bertshape {near[0]}? See bertshape --help."
    if called:
        shown = called if len(called) <= _SHOWN else f"{called[:_SHOWN]}..."
        return f'To inspect a text: bertshape inspect "{shown}"'
    return "See bertshape --help."


def check_texts(texts: Sequence[str], model: str | None) -> None:
    """Refuse texts that are checkpoints: the answer would be one for the embedded model.

    Args:
        texts: Texts of the command line.
        model: What --model says.

    Raises:
        UsageError: One is the folder of a checkpoint, or looks like a Hub id.
    """
    for text in texts:
        folder = any(os.path.isfile(os.path.join(text, name)) for name in ("config.json", "modules.json"))
        if not folder and (model is not None or not _HUB_ID.fullmatch(text) or os.path.exists(text)):
            continue
        others = [shlex.quote(other) for other in texts if other != text] or ['"A text."']
        what = "is the folder of a checkpoint" if folder else "looks like the name of a Hub checkpoint"
        raise UsageError(
            f"the text {text!r} {what}",
            hint=f"bertshape inspect {' '.join(others)} -m {shlex.quote(text)}; or pass it as a text by stdin: -i -",
            code="text-is-checkpoint",
        )


def notes_on_texts(texts: Sequence[str]) -> Iterator[str]:
    """What a person may have meant otherwise; nothing is refused.

    Args:
        texts: Texts of the command line.
    """
    if len(texts) >= _MANY_WORDS and all(text and not re.search(r"\s", text) for text in texts):
        joined = " ".join(texts)
        yield f"{len(texts)} texts of one word each; to make them one text, quote it: bertshape inspect {joined!r}"
    for text in texts:
        if text and os.path.isfile(text):
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
            yield f"the text {shown!r} is the name of a file here; to read its texts: bertshape inspect -i {shown}"
    if any(not text.strip() for text in texts):
        yield "a text is empty: only special tokens remain"
