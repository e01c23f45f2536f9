"""Calls into `tokenizers`: what a file makes fail is one error, without Rust's own text on stdout or stderr."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, nullcontext
from typing import IO, TYPE_CHECKING

from bertshape.errors import CheckpointError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDOUT, _STDERR = 1, 2
_keeps_stderr_clean = False
_HELD = threading.RLock()
"""Two threads that hold stderr at once would each restore what the other put there, and it would be lost for good."""


def keep_stderr_clean() -> None:
    """Let this process keep Rust's text off stderr; the command line asks for it, whose stderr is its own.

    Rust prints it to file descriptor 2 before Python learns of the panic, and `tokenizers` has no switch for it.
    """
    global _keeps_stderr_clean  # A property of the process, as the descriptor is.
    _keeps_stderr_clean = True


@contextmanager
def blamed(
    what: str, hint: str = "Save the tokenizer again, or copy it from the original checkpoint."
) -> Iterator[None]:
    """Turn whatever a tokenizer's file causes into a `CheckpointError`.

    Args:
        what: The file and what it cannot do, as the message begins.
        hint: What to do next.

    Raises:
        CheckpointError: The library, or what reads the file for it, failed or panicked.
    """
    with _one_holds_stderr() if _keeps_stderr_clean else nullcontext():
        try:
            yield
        except (CheckpointError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
            raise
        except BaseException as error:
            # tokenizers raises plain Exception, and PanicException, which is none, where Rust panics.
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            raise CheckpointError(f"{what}: {one_line(error)}", hint=hint, code="tokenizer-invalid") from error


def is_panic(error: BaseException) -> bool:
    """Whether an exception is Rust's panic; its class has no public place to be imported from."""
    return type(error).__name__ == "PanicException"


@contextmanager
def _one_holds_stderr() -> Iterator[None]:
    with _HELD, _held_stderr():
        yield


@contextmanager
def _held_stderr() -> Iterator[None]:
    """Hold back what is written to stderr, and drop it where Rust panicked; other threads' text comes a little late.

    What comes on stdout is dropped: a remark on a key that `tokenizers` does not know would stand in a report.
    """
    try:
        saved = os.dup(_STDERR)
    except OSError:  # It is closed.
        yield
        return
    panicked = False
    with _scratch() as held, _dropped(_STDOUT):
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        except CheckpointError as error:
            panicked = error.__cause__ is not None and is_panic(error.__cause__)
            raise
        finally:
            os.dup2(saved, _STDERR)
            if not panicked and held.seek(0, os.SEEK_END):
                held.seek(0)
                os.write(saved, held.read())
            os.close(saved)


@contextmanager
def _dropped(descriptor: int) -> Iterator[None]:
    saved, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)


def _scratch() -> IO[bytes]:
    """A file for a few lines: in memory where the system can."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("bertshape"), "w+b")
    import tempfile  # 5 ms, where the system has no memory files.

    return tempfile.TemporaryFile()
