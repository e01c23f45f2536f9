"""What is drawn while an inspection is under way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from bertshape.cli.console import print_plain
from bertshape.cli.events import CommandEvents
from bertshape.render.layout import Page

if TYPE_CHECKING:
    from types import TracebackType

    from bertshape.report.report import Report


class InspectionScreen(CommandEvents):
    """Shows an inspection as it goes: tokens at once, then shapes, then findings.

    On a terminal the predicted shapes are drawn before the run, and each row is drawn again when it was observed.
    """

    def __init__(self, console: Console, page: Page) -> None:
        super().__init__(progress=sys.stderr.isatty())
        self._console = console
        self._page = page
        self._live: Live | None = None
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was found."""
        self._close()

    def predicted(self, report: Report) -> None:
        """Show the tokens, then the predicted shapes; torch is not imported yet."""
        self._begin(report)
        # FORCE_COLOR makes Rich take a pipe for a terminal: colours may go there, what moves the cursor may not.
        if self._console.is_terminal and not self._console.is_dumb_terminal and self._console.file.isatty():
            # No refresh thread: the screen changes once, when the run is over.
            self._live = Live(self._page.shapes(report), console=self._console, auto_refresh=False)
            self._live.start(refresh=True)

    def end(self, report: Report) -> None:
        """Show the final report."""
        if not self._begun:
            self._begin(report)
        if self._live is None:
            print_plain(self._console, self._page.shapes(report))
        else:
            self._live.update(self._page.shapes(report), refresh=True)
            self._close()
        if report.findings:
            print_plain(self._console, Group(Text(), self._page.findings(report)))

    def _begin(self, report: Report) -> None:
        self._begun = True
        print_plain(self._console, self._page.tokens(report))

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
