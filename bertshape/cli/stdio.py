"""What a process finds around it, made fit for work: its streams, and the width of the screen."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, Any, Literal

from bertshape.errors import OutputError
from bertshape.files import OutputFile

if TYPE_CHECKING:
    from typing import TextIO

_DIGITS = 4
"""A screen has at most 9,999 columns; Rich fills lines, and would take any number at its word."""


def prepare_streams() -> None:
    """Make the streams ready for one command; called once."""
    _open_closed_streams()
    _guard("stdout")
    _guard("stderr")
    _forget_impossible_sizes()


def reader_left() -> bool:
    """Whether whoever read stdout has closed it, so that nobody sees what is still written."""
    return "stdout" in _guarded and _guarded["stdout"].dropped


class _Stream(OutputFile):
    """stdout or stderr, of which a command never ends: its exit code is what it found, whatever the reader does.

    Attributes:
        dropped: Whether nothing is written any more.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream.fileno(), name, closefd=False)
        self.dropped = False
        self._under = stream  # its end would close the descriptor

    def write(self, data: Any, /) -> int:
        """Write bytes, or drop them where the reader has left; on stderr, whatever keeps them from being written.

        Raises:
            OutputError: A report on stdout cannot be written, for want of space for example; the rest is dropped.
        """
        while not self.dropped:
            try:
                written: int | None = super().write(data)
            except OutputError as error:
                self.dropped = True
                if self._shown == "stdout" and not isinstance(error.__cause__, BrokenPipeError):
                    raise
            else:
                if written is not None:
                    return written
                select.select((), (self,), ())  # a pipe that does not wait, such as those of Node.js, is full
        return len(data)


_guarded: dict[str, _Stream] = {}


def _guard(name: Literal["stdout", "stderr"]) -> None:
    """Put a stream of ours over the descriptor of one of Python's."""
    stream = getattr(sys, name)
    if os.name == "nt" and stream.isatty():
        return  # a console there takes characters, not bytes
    _guarded[name] = _Stream(stream, name)
    buffer = io.BufferedWriter(_guarded[name])
    lines = stream.line_buffering
    setattr(sys, name, io.TextIOWrapper(buffer, stream.encoding, "backslashreplace", line_buffering=lines))


def _open_closed_streams() -> None:
    """Stand in for streams that were closed by `>&-`, which Python gives as None.

    A file opened later would get the free number, and what a library writes to stdout would go into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - open as long as the process
            setattr(sys, name, stream)


def _forget_impossible_sizes() -> None:
    for name in ("COLUMNS", "LINES"):
        value = os.environ.get(name)
        if value is None:
            continue
        digits = value.lstrip("0")
        if not (value.isascii() and value.isdigit() and 0 < len(digits) <= _DIGITS):
            del os.environ[name]
