"""Run one command line, and turn whatever happens into an exit code and at most one message."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from bertshape.cli.process import mend_surroundings, stopped_by
from bertshape.errors import BertshapeError, ExitCode, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_JSON_FORMATS = ("json", "jsonl")


def main() -> NoReturn:
    """Entry point of the `bertshape` command."""
    # A command makes objects that stay until it ends, most of them by importing; nothing it makes in number is cyclic.
    gc.disable()
    mend_surroundings()
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
    try:
        code = _dispatch(list(arguments))
        sys.stdout.flush()
    except BaseException as error:  # the one place where nothing may pass
        code = _report_failure(error, arguments)
    return int(code)


def _dispatch(arguments: list[str]) -> int:
    from bertshape.cli.app import build_app

    # A command only reads its options and returns what is to be done, so that no error of the work itself passes
    # through Typer, which has its own ideas of exit codes. --help and --version return an exit code.
    app = build_app(arguments)
    action = app(args=arguments or ["--help"], prog_name="bertshape", standalone_mode=False)
    return int(action() if callable(action) else action or ExitCode.OK)


def _report_failure(error: BaseException, arguments: Sequence[str]) -> int:
    """Print what went wrong, in the format that was asked for; the table from exception to exit code."""
    if "--debug" in _options(arguments):
        _print_traceback(error)
    if isinstance(error, BrokenPipeError):
        # The reader has seen enough.
        _silence(sys.stdout)
        return ExitCode.OK
    number = stopped_by()
    if number not in (None, signal.SIGINT):
        return 128 + number
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.INTERNAL
    # Packages that are stopped while they are imported may turn the interruption into an error of their own.
    failure = _as_failure(error if number is None else KeyboardInterrupt())
    # Where stdout takes no more, stderr may still do.
    for stream, show in ((sys.stdout, _print_document), (sys.stderr, _print_message)):
        try:
            show(failure, arguments)
            stream.flush()
        except OSError:
            _silence(stream)
    return failure.exit_code


def _options(arguments: Sequence[str]) -> list[str]:
    """What may be an option: after `--` all are texts."""
    return list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)


def _print_traceback(error: BaseException) -> None:
    """Messages in it hold names and texts, which may not command the terminal."""
    from bertshape.render.escape import visible

    lines = "".join(traceback.format_exception(error)).splitlines()
    try:
        sys.stderr.write("".join(f"{visible(line)}\n" for line in lines))
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: Python would fail once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _as_failure(error: BaseException) -> BertshapeError:
    if isinstance(error, BertshapeError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return _InterruptedError("interrupted", code="interrupted")
    # Reading is guarded where it is done; what the system refuses here is writing.
    if isinstance(error, OSError) and error.errno is not None:
        where = f" {error.filename}" if error.filename else ""
        hint = "Check the path and the space on the disk, or write elsewhere."
        return _OutputError(f"cannot write{where}: {error.strerror}", hint=hint, code="output-failed")
    # Typer's usage errors have no public class; all of them can format their message.
    if hasattr(error, "format_message"):
        message = " ".join(str(error.format_message()).split())
        return UsageError(message, hint="See bertshape --help.", code="usage")
    return BertshapeError(
        f"internal error: {type(error).__name__}: {one_line(error)}",
        hint="This is a bug in bertshape. Run again with --debug and report what it prints.",
        code="internal-error",
    )


class _InterruptedError(BertshapeError):
    exit_code = ExitCode.INTERRUPTED


class _OutputError(BertshapeError):
    exit_code = ExitCode.OUTPUT


def _print_document(failure: BertshapeError, arguments: Sequence[str]) -> None:
    wanted = _requested_json(arguments)
    if wanted is not None:
        from bertshape.render.json import render_error

        sys.stdout.write(render_error(failure, lines=wanted == "jsonl"))


def _print_message(failure: BertshapeError, arguments: Sequence[str]) -> None:  # noqa: ARG001 - as _print_document
    from bertshape.render.escape import visible

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
