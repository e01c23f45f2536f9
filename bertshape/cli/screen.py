"""What is drawn while an inspection is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.text import Text

from bertshape.cli.consoles import print_plain
from bertshape.rendering.tables import render_findings, render_head, render_outputs, render_pooled, render_tokens

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from bertshape.report import Report


class InspectionScreen:
    """Shows an inspection as it goes: tokens at once, then shapes, then findings.

    On a terminal the predicted shapes are drawn before the run, and each row is drawn again when it was observed.
    """

    def __init__(self, console: Console, *, all_tokens: bool, hidden_states: bool) -> None:
        self._console = console
        self._all_tokens = all_tokens
        self._hidden_states = hidden_states
        self._live: Live | None = None
        self._begun = False

    def begin(self, report: Report) -> None:
        """Show the tokens; weights may be downloaded next, with a bar of their own."""
        self._begun = True
        tokens = render_tokens(report, self._console.width, all_tokens=self._all_tokens)
        print_plain(self._console, Group(render_head(report), tokens, Text()))

    def draw(self, report: Report) -> None:
        """Draw the predicted shapes; torch is not imported yet."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            from rich.live import Live

            # No refresh thread: the screen changes once, when the run is over.
            self._live = Live(self._shapes(report), console=self._console, auto_refresh=False)
            self._live.start(refresh=True)

    def end(self, report: Report) -> None:
        """Show the final report."""
        if not self._begun:
            self.begin(report)
        if self._live is None:
            print_plain(self._console, self._shapes(report))
        else:
            self._live.update(self._shapes(report), refresh=True)
            self.close()
        if report.findings:
            print_plain(self._console, Group(Text(), render_findings(report)))

    def close(self) -> None:
        """Leave the terminal as it was found; safe to call twice."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _shapes(self, report: Report) -> RenderableType:
        columns = self._console.width
        outputs = render_outputs(report, columns, hidden_states=self._hidden_states)
        star = "\N{BLACK STAR}" if self._console.encoding.lower().startswith("utf") else "*"
        return Group(outputs, Text(), render_pooled(report, columns, star=star))
