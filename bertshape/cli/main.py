"""Run one command line, and turn whatever happens into an exit code and at most one message."""

from __future__ import annotations

import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from bertshape.cli.app import build_program
from bertshape.cli.bash_words import whole_words
from bertshape.cli.json_output import print_json
from bertshape.cli.signals import stopped_by
from bertshape.cli.slips import note_on_models, plain_message, usage_hint
from bertshape.cli.stdio import prepare_streams
from bertshape.errors import BertshapeError, ExitCode, OutputError, UsageError, as_failure
from bertshape.render.escape import visible
from bertshape.report.envelope import error_document
from bertshape.tokens.panics import keep_stderr_clean

if TYPE_CHECKING:
    from collections.abc import Sequence

_JSON_FORMATS = ("json", "jsonl")
_MOST_ARGUMENTS = 50_000
"""Typer takes them one by one from the front of a list, which takes minutes for the most that a system passes on."""


def main() -> NoReturn:
    """Entry point of the `bertshape` command."""
    prepare_streams()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, never a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    keep_stderr_clean()
    try:
        code = _dispatch(list(arguments))
        sys.stdout.flush()
    except BaseException as error:  # the one place where nothing may pass
        code = _report_failure(error, arguments)
    return int(code)


def _dispatch(arguments: list[str]) -> int:
    if len(arguments) > _MOST_ARGUMENTS:
        message = f"the command line has {len(arguments):,} arguments, at most {_MOST_ARGUMENTS:,} are read"
        raise UsageError(message, hint="Put texts into a file, and pass that.", code="arguments-too-many")
    # A command only reads its options and returns what is to be done, so that no error of the work itself passes
    # through Typer, which has its own ideas of exit codes. --help and --version return an exit code.
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    for note in note_on_models(arguments):
        sys.stderr.write(f"bertshape: note: {visible(note)}\n")
    program = build_program(arguments)
    with whole_words():
        action = program.main(args=arguments or ["--help"], prog_name="bertshape", standalone_mode=False)
    return int(action() if callable(action) else action or ExitCode.OK)


def _report_failure(error: BaseException, arguments: Sequence[str]) -> int:
    """Print what went wrong, in the format that was asked for; the table from exception to exit code."""
    if "--debug" in _options(arguments):
        _print_traceback(error)
    number = stopped_by()
    if number not in (None, signal.SIGINT):
        return 128 + number
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.INTERNAL
    # Packages that are stopped while they are imported may turn the interruption into an error of their own.
    failure = _as_failure(error if number is None else KeyboardInterrupt(), arguments)
    # Where stdout takes no more, stderr may still do.
    with suppress(OutputError):
        _print_document(failure, arguments)
        sys.stdout.flush()
    _print_message(failure)
    return failure.exit_code


def _options(arguments: Sequence[str]) -> list[str]:
    """What may be an option: after `--` all are texts."""
    return list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)


def _print_traceback(error: BaseException) -> None:
    """Messages in it hold names and texts, which may not command the terminal."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    sys.stderr.write("".join(f"{visible(line)}\n" for line in lines))


def _as_failure(error: BaseException, arguments: Sequence[str]) -> BertshapeError:
    if isinstance(error, KeyboardInterrupt):
        return _InterruptedError("interrupted", code="interrupted")
    # Typer's usage errors have no public class; all of them can format their message.
    if hasattr(error, "format_message"):
        message = " ".join(str(error.format_message()).split())
        hint = usage_hint(message, list(arguments), _parses)
        return UsageError(plain_message(message), hint=hint, code="usage")
    return as_failure(error)


def _parses(arguments: list[str]) -> bool:
    """Whether a command line is one that Typer takes; nothing is done."""
    if any(option in arguments for option in ("--help", "-h", "--version", "-V")):
        return True
    try:
        return callable(build_program(arguments).main(args=arguments, prog_name="bertshape", standalone_mode=False))
    except Exception:
        return False


class _InterruptedError(BertshapeError):
    exit_code = ExitCode.INTERRUPTED


def _print_document(failure: BertshapeError, arguments: Sequence[str]) -> None:
    wanted = _requested_json(arguments)
    if wanted is not None:
        print_json(error_document(failure), line=wanted == "jsonl")


def _print_message(failure: BertshapeError) -> None:
    sys.stderr.write(f"bertshape: error: {visible(failure.message)}\n")
    if failure.hint:
        sys.stderr.write(f"  hint: {visible(failure.hint)}\n")


def _requested_json(arguments: Sequence[str]) -> str | None:
    """The JSON format asked for, read from the bare arguments: they may be what could not be parsed."""
    before = _options(arguments)
    for index, argument in enumerate(before):
        name, _, value = argument.partition("=")
        if name == "--format" and not value and index + 1 < len(before):
            value = before[index + 1]
        if argument == "--json":
            return "json"
        if name == "--format" and value in _JSON_FORMATS:
            return value
    return None
