"""What can go wrong, said once: a message, the next step, a stable code and the process exit code."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """Exit codes of the command line; scripts and CI jobs rely on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CHECKPOINT = 3
    HUB = 4
    DEVICE = 5
    INTERNAL = 70
    OUTPUT = 74
    INTERRUPTED = 130


_LONGEST = 2000
_END = 500


def bounded(text: str) -> str:
    """A message of bearable length: names and values in it come from files, and may have any.

    The middle goes: names stand at the beginning, the reason at the end.
    """
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - _END - 3]}...{text[-_END:]}"


def one_line(error: BaseException, limit: int = 300) -> str:
    """What an exception of another library says, on one line of bearable length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else f"{text[:limit]}..."


@dataclass(frozen=True)
class TextPlace:
    """Which of many texts an error is about.

    Attributes:
        index: Its number in the stream, from 0.
        line: Number of its line, or row, in the file.
        id: What the file calls it, or None.
    """

    index: int
    line: int
    id: str | int | None


class BertshapeError(Exception):
    """A failure with a remedy.

    Attributes:
        message: One line: what is wrong, where, expected and actual.
        hint: What to do next, or an empty string.
        code: Kebab-case name of the failure, stable across releases.
        text: The text that it is about, where it is about one of many; else None.
        exit_code: Exit code of a command that stops on this error.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "", code: str) -> None:
        super().__init__(bounded(message))
        self.message = bounded(message)
        self.hint = bounded(hint)
        self.code = code
        self.text: TextPlace | None = None

    def about(self, text: TextPlace) -> Self:
        """The same error, which names its text."""
        self.text = text
        return self


class UsageError(BertshapeError):
    """The request cannot be carried out as it was put."""

    exit_code = ExitCode.USAGE


class CheckpointError(BertshapeError):
    """A checkpoint or its tokenizer is missing, unreadable or invalid."""

    exit_code = ExitCode.CHECKPOINT


class HubError(BertshapeError):
    """The Hub, or the way to it, did not give what was asked for."""

    exit_code = ExitCode.HUB


class DeviceError(BertshapeError):
    """The device is not there, or its memory is not enough."""

    exit_code = ExitCode.DEVICE


class OutputError(BertshapeError):
    """A result cannot be written."""

    exit_code = ExitCode.OUTPUT


_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
"""What the system answers to writing alone."""


def as_failure(error: BaseException) -> BertshapeError:
    """The failure that an exception means; one that nobody expected is a bug."""
    if isinstance(error, BertshapeError):
        return error
    # What we write raises an OutputError: here it is reading, or a library that keeps something on the disk.
    if isinstance(error, OSError) and error.errno is not None:
        where = f" {error.filename}" if error.filename else ""
        if error.errno in _DISK:
            return OutputError(f"cannot write{where}: {error.strerror}", hint="Free some space.", code="output-failed")
        hint = "Check the path and its permissions."
        return CheckpointError(f"cannot read{where}: {error.strerror}", hint=hint, code="file-unreadable")
    if isinstance(error, MemoryError):
        hint = "Free some memory, or give it less: the files that a checkpoint is made of are the largest part."
        return DeviceError("out of memory", hint=hint, code="out-of-memory")
    return BertshapeError(
        f"internal error: {type(error).__name__}: {one_line(error)}",
        hint="This is a bug in bertshape. Run again with --debug and report what it prints.",
        code="internal-error",
    )
