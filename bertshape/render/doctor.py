"""What `doctor` found, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.pipelines.doctor import usable
from bertshape.pipelines.doctor.fact import STATES
from bertshape.render.escape import visible
from bertshape.render.inspect import NARROW, WIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.pipelines.doctor.fact import Area, Fact

_STATE_STYLE = {"ok": "green", "note": "cyan", "warning": "yellow", "error": "bold red"}
_NAME_COLUMNS = 22
"""Columns of the names, so that the areas, which are printed one by one, stand below each other."""
_VALUE_COLUMNS, _MEANING_COLUMNS = 44, 58
_BETWEEN = "  "


def render_area(area: Area, columns: int) -> RenderableType:
    """One row a fact: its state, its name, its value, and what that means."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("state", min_width=max(map(len, STATES)), no_wrap=True)
    if columns >= NARROW:
        table.add_column("name", min_width=_NAME_COLUMNS, overflow="fold")
    if columns >= WIDE:
        # A path stays in one piece where it can: pieces cannot be copied.
        most = columns - max(map(len, STATES)) - _NAME_COLUMNS - _MEANING_COLUMNS - 3
        table.add_column("value", min_width=_VALUE_COLUMNS, max_width=most, overflow="fold")
    table.add_column("meaning", min_width=_MEANING_COLUMNS if columns >= WIDE else None, overflow="fold")
    for fact in area.facts:
        table.add_row(Text(fact.state, style=_STATE_STYLE[fact.state]), *_cells(fact, columns))
    return Group(Text(area.name[0].upper() + area.name[1:], style="bold"), table, Text())


def render_verdict(facts: Sequence[Fact]) -> RenderableType:
    """The last words: whether bertshape works here, and which facts are not as they should be."""
    if usable(facts):
        lines = [Text("bertshape works here", style="bold green")]
    else:
        lines = [Text("bertshape does not work here as it should", style="bold red")]
    for state in reversed(STATES[STATES.index("warning") :]):
        names = [f"{fact.area} {fact.name}" for fact in facts if fact.state == state]
        if names:
            lines.append(Text.assemble((state, _STATE_STYLE[state]), f" {visible(', '.join(names))}"))
    return Group(*lines)


def _cells(fact: Fact, columns: int) -> list[Text]:
    name, value, meaning = Text(visible(fact.name)), Text(visible(fact.value), "bold"), Text(visible(fact.meaning))
    if columns >= WIDE:
        return [name, value, meaning]
    meaning.stylize("dim")
    room = columns - max(map(len, STATES)) - 2
    if columns < NARROW:
        return [Text("\n").join([Text.assemble(name, " ", value), meaning])]
    room -= max(_NAME_COLUMNS, name.cell_len) + 1
    short = value.cell_len + len(_BETWEEN) + meaning.cell_len <= room
    return [name, Text(_BETWEEN if short else "\n").join([value, meaning])]
