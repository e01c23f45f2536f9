"""What stands below the panels of a help: examples, and where to read on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer import rich_utils

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def leave_out_ranges() -> None:
    """Print N for a number, without `[x>=1]`: one that will not do is refused with its range."""
    rich_utils.RANGE_STRING = ""


def print_notes(sections: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> None:
    """Print titles, and below each its lines with their meanings.

    Args:
        sections: Titles, each with lines and what they do.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    for title, rows in sections:
        console.print(Text(f" {title}", style="bold"))
        beside = max(len(line) for line, _ in rows) + max(len(meaning) for _, meaning in rows) + 5 <= console.width
        grid = Table.grid(padding=(0, 2))
        for line, meaning in rows:
            if beside:
                grid.add_row(Text(f"   {line}"), Text(meaning, style="dim"))
            else:
                grid.add_row(Text(f"   {line}", no_wrap=True, overflow="ignore"))
                grid.add_row(Text(f"     {meaning}", style="dim"))
        console.print(grid)
        console.print()
