"""The screen of `doctor`: the verdict and what is wrong first, all facts where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.pipelines.doctor import RUN_MISSING, usable
from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.pipelines.doctor import Fact

_STATE_STYLE = {"ok": "green", "note": "cyan", "warning": "yellow", "error": "bold red"}
_SUMMARY = {
    ("versions", "Python"),
    ("versions", "bertshape"),
    ("versions", "torch"),
    ("versions", "transformers"),
    ("devices", "--device auto"),
    ("cache folder", "path"),
    ("Hub", "endpoint"),
}
"""What is shown by value where nothing is wrong with it."""
_NARROW = 64
_MOST = 8
"""Problems on the first screen; each takes two or three lines of its 40."""


def render_diagnosis(facts: Sequence[Fact], columns: int, *, everything: bool) -> RenderableType:
    """The verdict, then the problems, then the rest.

    Args:
        facts: What was found.
        columns: Columns that there are; a narrow screen has no room for tables.
        everything: Show every fact with its meaning, not only the values that matter most.
    """
    problems = [fact for state in ("error", "warning") for fact in facts if fact.state == state]
    parts: list[RenderableType] = [_verdict(facts), _stacked(problems if everything else problems[:_MOST])]
    if not everything and len(problems) > _MOST:
        parts.append(Text(f"... and {len(problems) - _MOST} more"))
    if everything:
        parts += [_everything(facts)] if columns >= _NARROW else [Text(), _stacked(facts)]
    else:
        parts += [Text(), _summary([fact for fact in facts if fact not in problems]), Text()]
        parts.append(Text("Everything that was looked at: bertshape doctor --all", style="dim"))
    return Group(*parts)


def _verdict(facts: Sequence[Fact]) -> Text:
    if not usable(facts):
        return Text("bertshape does not work here as it should", style=_STATE_STYLE["error"])
    missing = any(fact.area == "versions" and fact.state == "note" for fact in facts)
    return Text(f"bertshape works here{f': {RUN_MISSING}' if missing else ''}", style=f"bold {_STATE_STYLE['ok']}")


def _stacked(facts: Sequence[Fact]) -> Table:
    """Two lines each: what was found, and what it means."""
    table = _plain()
    for fact in facts:
        found = Text(visible(f"{fact.area} {fact.name}: {fact.value}"), style="bold")
        text = Text("\n").join([found, Text(visible(fact.meaning))])
        table.add_row(Text(fact.state, style=_STATE_STYLE[fact.state]), text)
    return table


def _summary(facts: Sequence[Fact]) -> Table:
    table = _plain()
    for fact in facts:
        if (fact.area, fact.name) in _SUMMARY:
            name = fact.name if fact.area in ("versions", "devices") else f"{fact.area} {fact.name}"
            table.add_row(Text(visible(name)), Text(visible(fact.value), style="bold"))
    return table


def _everything(facts: Sequence[Fact]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("state", "what", "found", "what it means"):
        table.add_column(name, overflow="fold", no_wrap=name in ("state", "what"))
    area = ""
    for fact in facts:
        if fact.area != area:
            area = fact.area
            table.add_row(Text(), Text(visible(area), style="bold"))
        cells = (Text(visible(text)) for text in (fact.name, fact.value, fact.meaning))
        table.add_row(Text(fact.state, style=_STATE_STYLE[fact.state]), *cells)
    return table


def _plain() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
