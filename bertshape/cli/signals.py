"""Signals: a command that is stopped unwinds, and says so by its exit code."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_stopped_by: list[int] = []


def catch_signals() -> None:
    """End by unwinding; without a handler the process dies on the spot, the cursor hidden and files half written."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup, for one, sets SIGHUP to be ignored: that stays so.
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _leave)


def stopped_by() -> int | None:
    """The first signal that stopped this process; whatever is raised after it follows from it."""
    return _stopped_by[0] if _stopped_by else None


def _leave(number: int, _: FrameType | None) -> None:
    """Unwind; a second signal ends the process at once.

    Not by KeyboardInterrupt: where one passes through the `exec` of a text, as dataclasses do when they are made,
    Python ends itself by SIGINT at the end, although it was caught.
    """
    _stopped_by.append(number)
    signal.signal(number, signal.SIG_DFL)
    raise SystemExit(128 + number)
