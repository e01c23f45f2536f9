"""How far a command is that reads many texts: a bar on a terminal, a line a minute in a log. On stderr alone."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from bertshape.checkpoint.stored_values import unwatched
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rich.progress import Progress

    from bertshape.checkpoint.stored_values import Read
    from bertshape.corpus.meter import Meter

_SECONDS = 60
"""Between two lines of a log."""


@contextmanager
def watch_pace(meter: Meter | None = None, *, shown: bool, log: bool = False) -> Iterator[Pace]:
    """Show what is under way, and how far it is, while the block runs.

    Args:
        meter: Knows how many texts there will be; None where nobody does.
        shown: Draw a bar, and take it away when the block ends.
        log: Write a line a minute in its place.

    Yields:
        What takes each phase, and how many more texts are done.
    """
    pace = Pace(None if meter is None else meter.estimate)
    if not shown:
        if log:
            pace.changed = MinuteLog(pace, sys.stderr).write
        yield pace
        return
    with _bar(pace) as progress:
        task = progress.add_task("texts", total=None)

        def draw() -> None:
            # The first numbers of a phase are shown at once, the others ten times a second.
            progress.update(task, completed=pace.done, total=pace.total, refresh=pace.fresh)

        pace.changed = draw
        yield pace


@contextmanager
def count_bytes(*, shown: bool) -> Iterator[Read]:
    """Count the bytes of weight files while the block runs.

    Args:
        shown: Draw a bar where stderr is a terminal, and take it away when the block ends.

    Yields:
        The function that takes how many more bytes were read, and how many there are in all.
    """
    if not shown or not sys.stderr.isatty():
        yield unwatched
        return
    megabytes = Megabytes()
    with _bar(megabytes) as progress:
        task = progress.add_task("values", total=None)

        def read(count: int, total: int) -> None:
            megabytes.advance(count, total)
            progress.update(task, completed=megabytes.done, total=megabytes.total)

        yield read


def _bar(pace: object) -> AbstractContextManager[Progress]:
    # Most runs draw none, and Rich takes 40 ms to import.
    from bertshape.cli.bar import open_bar

    return open_bar(pace)


class Megabytes:
    """How many bytes were read of how many; a value that changes."""

    def __init__(self) -> None:
        self.done = self.total = self._last = 0

    def advance(self, count: int, total: int) -> None:
        """Take how many more were read, and how many there are; a checkpoint that begins anew adds its own."""
        if total != self._last or self.done == self.total:
            self.total, self._last = self.done + total, total
        self.done += count

    def __str__(self) -> str:
        return f"{self.done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB of weights"


class Pace:
    """What is under way, how many texts are done, how fast, and how long the rest will take; a value that changes.

    Args:
        estimate: How many texts there will be; None where nobody knows.
        clock: Gives seconds.

    Attributes:
        done: Texts that are done.
        total: How many there will be at the end, or None.
        fresh: Whether a phase began, or its first texts are done, with the last change.
        clock: Gives seconds.
        changed: Called after each change.
    """

    def __init__(self, estimate: Callable[[], int | None] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._estimate = estimate
        self.changed: Callable[[], object] = lambda: None
        self.begin("reading the checkpoint")

    def begin(self, what: str, texts: int | None = None) -> None:
        """A phase begins.

        Args:
            what: What it is.
            texts: How many texts it takes; None for the estimate.
        """
        self._what, self._exact = what, texts
        self.done, self.total, self.fresh = 0, texts, True
        self._first, self._begin = 0, self.clock()
        self.changed()

    def advance(self, count: int) -> None:
        """Take how many more texts are done."""
        self.fresh = not self.done
        if self.fresh:
            # What came before the first of them, such as loading, says nothing of how long the others take.
            self._first, self._begin = count, self.clock()
        self.done += count
        found = self._exact if self._exact is not None or self._estimate is None else self._estimate()
        self.total = None if found is None else max(found, self.done)
        self.changed()

    def __str__(self) -> str:
        """As people read it: `tokenizing 120,000 of about 1,000,000 texts, 2,000 texts/s, 7 min left`."""
        if not self.done:
            return self._what
        of = "" if self.total is None else f"{self.done:,} of {'about ' if self._exact is None else ''}"
        words = [f"{self._what} {of}{counted(self.done if self.total is None else self.total, 'text')}"]
        seconds, done = self.clock() - self._begin, self.done - self._first
        if seconds > 0 and done:
            rate = done / seconds
            words.append(f"{rate:,.0f} texts/s" if rate >= 10 else f"{rate:.1f} texts/s")
            if self.total is not None:
                words.append(f"{_duration((self.total - self.done) / rate)} left")
        return ", ".join(words)


class MinuteLog:
    """Writes a line a minute.

    Args:
        pace: What is under way.
        stream: Where the lines go.
    """

    def __init__(self, pace: Pace, stream: TextIO) -> None:
        self._pace, self._stream, self._last = pace, stream, pace.clock()

    def write(self) -> None:
        """Write where the pace stands, unless a line came within the last minute."""
        now = self._pace.clock()
        if now - self._last >= _SECONDS:
            self._last = now
            self._stream.write(f"bertshape: {self._pace}\n")
            self._stream.flush()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
