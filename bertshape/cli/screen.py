"""What is drawn while an inspection is under way."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.segment import SegmentLines

from bertshape.cli.console import open_console, print_plain
from bertshape.cli.events import CommandEvents
from bertshape.cli.signals import drawing
from bertshape.pipelines.inspect import inspect
from bertshape.render.export import render_svg
from bertshape.render.layout import Page
from bertshape.render.tables import signs_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from rich.console import Console

    from bertshape.pipelines.request import InspectionRequest
    from bertshape.report.report import Report


__all__ = ["draw_inspection", "render_svg"]


class InspectionScreen(CommandEvents):
    """Shows an inspection as it goes: on a terminal predicted rows stand in place, and turn observed after the run.

    What is printed to stay comes at the end alone, so that no half report stands before an error.
    """

    def __init__(self, console: Console, page: Page) -> None:
        super().__init__(progress=sys.stderr.isatty())
        self._console = console
        self._page = page
        self._report: Report | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Texts are not counted here."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take away what was drawn of a run that did not come to its end."""
        if self._live is not None:
            with drawing(0):
                self._live.update("")
                self._live.stop()
                self._live = None

    def predicted(self, report: Report) -> None:
        """Keep it for the first phase: weights may be downloaded next, with a bar of their own."""
        # FORCE_COLOR makes Rich take a pipe for a terminal: colours may go there, what moves the cursor may not.
        if self._console.is_terminal and not self._console.is_dumb_terminal and self._console.file.isatty():
            self._report = report

    def phase(self, what: str, texts: int | None = None) -> None:  # noqa: ARG002 - one batch
        """Show the predicted rows, and below them what is under way; of a page longer than the terminal, its end."""
        if self._report is None:
            return
        lines = self._console.render_lines(Group(*self._page.parts(self._report, what)), pad=False)
        shown = lines[1 - self._console.height :]
        with drawing(len(shown) - 1):
            if self._live is None:
                # No refresh thread: the screen changes when a phase begins, and once when the run is over.
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(SegmentLines(shown, new_lines=True), refresh=True)

    def end(self, report: Report) -> None:
        """Show the final report."""
        # Drawn by itself: what a live display draws is cut at the right edge, and so would be a long command.
        self.__exit__(None, None, None)
        print_plain(self._console, self._page.whole(report))


def draw_inspection(request: InspectionRequest, layout: Mapping[str, bool]) -> Report:
    """Inspect, and draw the report as it comes.

    Args:
        request: What to inspect.
        layout: What `Page` takes besides its columns.
    """
    console = open_console()
    # A line of a pipe is about one thing, for grep and diff.
    beside = console.is_terminal or "COLUMNS" in os.environ
    page = Page(console.width, unicode=signs_of(console).unicode, beside=beside, **layout)
    with InspectionScreen(console, page) as screen:
        report = inspect(request, screen)
        screen.end(report)
    return report
