"""The bar of a command that reads many texts, on stderr."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO


@contextmanager
def open_bar(pace: object) -> Iterator[Progress]:
    """A bar that is taken away when it ends.

    Args:
        pace: What stands behind it, as text.
    """

    class PaceColumn(ProgressColumn):
        def render(self, task: object) -> Text:  # noqa: ARG002 - Rich's own numbers count the time of loading
            return Text(str(pace))

    columns = SpinnerColumn(), BarColumn(20), PaceColumn()
    with _terminal() as stream, Progress(*columns, console=Console(file=stream), transient=True) as progress:
        yield progress


@contextmanager
def _terminal() -> Iterator[IO[str]]:
    """Stderr by a descriptor of its own: that of the process is held while a thread tokenizes.

    What was held comes a little late, and a bar that is drawn after it was taken away would stay.
    """
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (OSError, io.UnsupportedOperation):
        yield sys.stderr
        return
    with os.fdopen(descriptor, "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors) as stream:
        yield stream
