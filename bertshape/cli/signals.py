"""Signals: a command that is stopped unwinds, or ends on the spot, and says so by its exit code."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress

TYPE_CHECKING = False  # The name type checkers know; `typing` takes 5 ms, in which a Ctrl-C would end in a traceback.
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any, NoReturn

_stopped_by: list[int] = []
_IMPORTS = "<frozen importlib"
"""File name of the code of Python's own that imports modules."""
_SHOW_CURSOR = "\x1b[?25h"
_drawing: list[int] = []
_drawn: list[int] = []
_waiting: list[int] = []


class _Leave:
    """The handler of the command.

    Attributes:
        ends_imports: It raises nothing while a module is imported: no need to hold signals back until that is over.
    """

    ends_imports = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Unwind; within an import end at once, and at a second signal too.

        What is raised within an import may be dropped (Python does so in its own callbacks), abort the process (the
        C++ parts of torch), or become another error. Nothing is half printed there.

        Unwinding is not by KeyboardInterrupt: where one passes through the `exec` of a text, as dataclasses do when
        they are made, Python ends itself by SIGINT at the end, although it was caught.
        """
        if _drawing:
            _waiting.append(number)
            return
        _stopped_by.append(number)
        signal.signal(number, signal.SIG_DFL)
        if _is_importing(frame):
            _end(number)
        sys.unraisablehook = _end_where_dropped
        raise SystemExit(128 + number)


def catch_signals() -> None:
    """End by unwinding; without a handler the process dies on the spot, the cursor hidden and files half written."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup, for one, sets SIGHUP to be ignored: that stays so.
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _Leave())


@contextmanager
def drawing(lines: int) -> Iterator[None]:
    """Stand around the drawing of a live display, which no signal cuts short: what is half drawn cannot be taken away.

    Args:
        lines: How many it has above the cursor then; an end on the spot takes them away too.
    """
    _drawing.append(lines)
    try:
        yield
    finally:
        _drawing.clear()
        _drawn[:] = [lines] if lines else []
        if _waiting:
            signal.raise_signal(_waiting.pop())


def stopped_by() -> int | None:
    """The first signal that stopped this process; whatever is raised after it follows from it."""
    return _stopped_by[0] if _stopped_by else None


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTS):
            return True
        frame = frame.f_back
    return False


def _end_where_dropped(dropped: Any) -> None:
    """End where Python drops the exception of the handler: a destructor or a callback of C code was interrupted."""
    if isinstance(dropped.exc_value, SystemExit):
        _end(_stopped_by[0])
    sys.__unraisablehook__(dropped)


def _end(number: int) -> NoReturn:
    """End the process here, with what was printed, a cursor that is seen, and no half-written file."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
            if stream.isatty():
                up = f"\r\x1b[{_drawn.pop()}A\x1b[J" if _drawn else ""
                os.write(stream.fileno(), (up + _SHOW_CURSOR).encode())
    files = sys.modules.get("bertshape.files")
    with suppress(Exception):
        if files is not None:
            files.remove_unfinished()
    os._exit(128 + number)
