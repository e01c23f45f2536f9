"""`bertshape man`: the manual page, made from the very options that the command line reads."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import typer

import bertshape
from bertshape.cli import options
from bertshape.errors import ExitCode

_MEANINGS = {
    ExitCode.OK: "Fine.",
    ExitCode.FAILED: "An expectation or a soundness check failed, or diff found a difference; the report is printed.",
    ExitCode.USAGE: "The command line or the texts cannot be used.",
    ExitCode.CHECKPOINT: "The checkpoint or its tokenizer cannot be read.",
    ExitCode.HUB: "The Hub: not found, gated, offline, network.",
    ExitCode.DEVICE: "The device is not there, or out of memory.",
    ExitCode.INTERNAL: "A bug in bertshape.",
    ExitCode.OUTPUT: "The report cannot be written.",
    ExitCode.INTERRUPTED: "Interrupted.",
}
_ENVIRONMENT = {
    "COLUMNS": "Width of tables.",
    "NO_COLOR": "No colours, unless it is empty.",
    "HF_HOME, HF_HUB_CACHE": "Where downloaded checkpoints are kept.",
    "HF_TOKEN": "Token for gated and private repositories; never printed.",
    "HF_HUB_OFFLINE": "Use the cache alone, as --offline does.",
    "HF_ENDPOINT": "Another Hub.",
    "TOKENIZERS_PARALLELISM": "Set to false to keep the tokenizer to one core.",
}


def man_command(
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Print the manual page: bertshape man > bertshape.1."""

    def action() -> int:
        from bertshape.cli.app import build_app

        sys.stdout.write(render_manual(typer.main.get_command(build_app(()))))
        return 0

    return action


def render_manual(program: Any) -> str:
    """The page in roff, as man(7) describes it.

    Args:
        program: The command line, as Typer builds it.
    """
    context = program.make_context("bertshape", [], resilient_parsing=True)
    lines = [f'.TH BERTSHAPE 1 "" "bertshape {bertshape.__version__}" "User Commands"', ".SH NAME"]
    lines += [rf"bertshape \- {_text(program.help)}", ".SH SYNOPSIS", ".B bertshape", r"\fICOMMAND\fR [\fIOPTIONS\fR]"]
    lines += [".SH COMMANDS"]
    for name in program.list_commands(context):
        lines += _command(program.get_command(context, name), name, context)
    lines += [".SH EXIT STATUS"]
    for code, meaning in _MEANINGS.items():
        lines += [".TP", rf"\fB{int(code)}\fR", _text(meaning)]
    lines += [".SH ENVIRONMENT"]
    for name, meaning in _ENVIRONMENT.items():
        lines += [".TP", rf"\fB{_text(name)}\fR", _text(meaning)]
    return "\n".join(lines) + "\n"


def _command(command: Any, name: str, parent: Any) -> Iterator[str]:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f".SS {name}", _text(command.help), ".PP", rf"\fBbertshape {name}\fR {_text(usage)}")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None:
            continue
        yield from (".TP", rf"\fB{_text(record[0])}\fR", _text(record[1]))


def _text(text: str | None) -> str:
    """Words that roff sets as they are: its escapes and requests are none of ours."""
    words = " ".join((text or "").split()).replace("\\", r"\(rs").replace("-", r"\-").replace("'", r"\(aq")
    return re.sub(r"^\.", r"\&.", words)
