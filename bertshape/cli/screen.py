"""What is drawn while an inspection is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.text import Text

from bertshape.cli.console import print_plain
from bertshape.render.layout import Page

if TYPE_CHECKING:
    from rich.live import Live

    from bertshape.report.report import Report


class InspectionScreen:
    """Shows an inspection as it goes: tokens at once, then shapes, then findings.

    On a terminal the predicted shapes are drawn before the run, and each row is drawn again when it was observed.
    """

    def __init__(self, console: Console, page: Page) -> None:
        self._console = console
        self._page = page
        self._live: Live | None = None
        self._begun = False

    def begin(self, report: Report) -> None:
        """Show the tokens; weights may be downloaded next, with a bar of their own."""
        self._begun = True
        print_plain(self._console, self._page.tokens(report))

    def draw(self, report: Report) -> None:
        """Draw the predicted shapes; torch is not imported yet."""
        # FORCE_COLOR makes Rich take a pipe for a terminal: colours may go there, what moves the cursor may not.
        if self._console.is_terminal and not self._console.is_dumb_terminal and self._console.file.isatty():
            from rich.live import Live

            # No refresh thread: the screen changes once, when the run is over.
            self._live = Live(self._page.shapes(report), console=self._console, auto_refresh=False)
            self._live.start(refresh=True)

    def end(self, report: Report) -> None:
        """Show the final report."""
        if not self._begun:
            self.begin(report)
        if self._live is None:
            print_plain(self._console, self._page.shapes(report))
        else:
            self._live.update(self._page.shapes(report), refresh=True)
            self.close()
        if report.findings:
            print_plain(self._console, Group(Text(), self._page.findings(report)))

    def close(self) -> None:
        """Leave the terminal as it was found; safe to call twice."""
        if self._live is not None:
            self._live.stop()
            self._live = None
