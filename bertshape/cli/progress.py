"""A count of texts on stderr, for commands that read many."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def count_texts(*, shown: bool) -> Iterator[Callable[[int], None]]:
    """Count texts while the block runs, and take the count away when it ends.

    Args:
        shown: Whether anybody would see it.

    Yields:
        The function that takes how many more are done.
    """
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} texts"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("texts", total=None)
        yield lambda count: progress.advance(task, count)
