"""The bar of a command that reads many texts, on stderr."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn
from rich.text import Text


def open_bar(pace: object) -> Progress:
    """A bar that is taken away when it ends.

    Args:
        pace: What stands behind it, as text.
    """

    class PaceColumn(ProgressColumn):
        def render(self, task: object) -> Text:  # noqa: ARG002 - Rich's own numbers count the time of loading
            return Text(str(pace))

    return Progress(SpinnerColumn(), BarColumn(20), PaceColumn(), console=Console(file=sys.stderr), transient=True)
