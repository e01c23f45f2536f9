"""What the command line does while a pipeline works: bars on stderr, and imports with signals held back."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Self

from bertshape.cli.progress import watch_pace
from bertshape.pipelines.events import Events
from bertshape.run.imports import heavy_imports

if TYPE_CHECKING:
    from types import TracebackType

    from bertshape.cli.progress import Pace
    from bertshape.corpus.meter import Meter


class CommandEvents(Events):
    """Shows how far a command is, on stderr where that is a terminal.

    Args:
        progress: Whether anybody would see a bar.
        log: Whether somebody may read lines in its place.
        meter: Knows how many texts there will be.
    """

    def __init__(self, *, progress: bool = False, log: bool = False, meter: Meter | None = None) -> None:
        self.progress = progress
        self._log, self._meter = log, meter
        self._stack = ExitStack()
        self._pace: Pace | None = None

    def __enter__(self) -> Self:
        self._pace = self._stack.enter_context(watch_pace(self._meter, shown=self.progress, log=self._log))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def importing(self) -> AbstractContextManager[None]:
        """Hold signals back, and keep the garbage collector from walking what imports leave."""
        return heavy_imports()

    def phase(self, what: str, texts: int | None = None) -> None:
        """Show what begins."""
        if self._pace is not None:
            self._pace.begin(what, texts)

    def advanced(self, texts: int) -> None:
        """Count more texts."""
        if self._pace is not None:
            self._pace.advance(texts)


def watch() -> CommandEvents:
    """For a command whose report goes to a pipe or a file: no bars, unless stderr is a terminal."""
    return CommandEvents(progress=sys.stderr.isatty())
