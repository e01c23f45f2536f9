"""Tables that decide for themselves what fits: one line per row while there is room, a stack of lines below that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console, RenderableType

_GAP = 2
EARLY = 2
"""What a column has for `drop` that only stands where there is plenty of room."""
LABEL = 9
"""Columns of the word before a line."""
# Rich draws a frame of + and | where a terminal has ASCII alone; this has the rule under the header and no more.
_ASCII_RULE = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True)
class Signs:
    """The characters of a terminal that are not letters."""

    star: str
    dash: str
    dots: str
    arrow: str
    between: str
    rule: box.Box
    unicode: bool


UNICODE = Signs("★", "–", "…", "→", " · ", box.SIMPLE_HEAD, unicode=True)
ASCII = Signs("*", "-", "...", "->", ", ", _ASCII_RULE, unicode=False)


def signs_of(console: Console) -> Signs:
    """The characters that a console can show."""
    return UNICODE if console.encoding.lower().startswith("utf") else ASCII


class Elastic(Protocol):
    """A cell that is drawn for the room that it gets."""

    @property
    def natural(self) -> int:
        """Columns that it would take if it could."""

    def draw(self, columns: int) -> Text:
        """The cell in at most so many columns."""


Cell = Text | Elastic


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        header: Its name.
        right: Whether it holds numbers, which end under each other.
        drop: Columns with a higher number go first where the table is too wide: those with 1 rather than stack the
            rows, those with 2 and more wherever room is wanted. Those with 0 stay.
        folds: Columns down to which its cells may be folded where nothing else helps; 0 where they may not. Below
            that rows are stacked.
        least: Fewest columns that its elastic cells are worth; 0 where it has none.
    """

    header: str
    right: bool = False
    drop: int = 0
    folds: int = 0
    least: int = 0


@dataclass(frozen=True)
class Grid:
    """A table, before it is known how wide it may be; columns without any cell are left out.

    Attributes:
        columns: Its columns.
        rows: A cell for each column.
        groups: Lines before rows, by the index of the row.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    groups: Mapping[int, Text] = field(default_factory=dict)

    @property
    def least(self) -> int:
        """Columns that one line per row needs, without what may be dropped early."""
        kept = [index for index in self._filled() if self.columns[index].drop < EARLY]
        return _total([self._wish(index, least=True) for index in kept])

    @property
    def natural(self) -> int:
        """Columns that all of it would take."""
        return _total([self._wish(index) for index in self._filled()])

    def height(self, columns: int) -> int:
        """Lines that it takes where one line per row fits; more otherwise."""
        return len(self.rows) * (1 if self.least <= columns else 2) + 2 + len(self.groups)

    def render(self, columns: int, signs: Signs) -> RenderableType:
        """The table in a width."""
        widths = self._fit(columns)
        if widths is None:
            return self._stacked(columns, signs)
        parts: list[RenderableType] = []
        table = self._table(widths, signs)
        for number, row in enumerate(self.rows):
            if number in self.groups:
                parts += [table, self.groups[number]]
                table = self._table(widths, signs, header=False)
            table.add_row(*(_drawn(row[index], width) for index, width in widths.items()))
        return Group(*parts, table)

    def _table(self, widths: Mapping[int, int], signs: Signs, *, header: bool = True) -> Table:
        """An empty table with columns of these widths."""
        rule = signs.rule if header else None
        table = Table(
            box=rule, show_header=header, show_edge=False, pad_edge=False, border_style="dim",
            # Without a rule there is no blank between columns that stands above its gap.
            padding=(0, _GAP - 1 if header else _GAP, 0, 0),
        )  # fmt: skip
        for index, width in widths.items():
            column = self.columns[index]
            table.add_column(
                Text(column.header, style="dim"),
                width=width,
                justify="right" if column.right else "left",
                no_wrap=not column.folds,
                overflow="fold",
            )
        return table

    def _filled(self) -> list[int]:
        return [
            index
            for index in range(len(self.columns))
            if any(not isinstance(row[index], Text) or row[index] for row in self.rows) or not self.rows
        ]

    def _wish(self, index: int, *, least: bool = False) -> int:
        column = self.columns[index]
        cells = [row[index] for row in self.rows]
        header = cell_len(column.header)
        if column.least and least:
            return max(header, min(column.least, max(map(_natural, cells), default=0)))
        return max([header, *map(_natural, cells)])

    def _fit(self, columns: int) -> dict[int, int] | None:
        """Width of each column that is shown; None where rows must be stacked."""
        shown = self._filled()
        order = sorted((index for index in shown if self.columns[index].drop), key=lambda i: self.columns[i].drop)
        while _total([self._wish(index, least=True) for index in shown]) > columns and order:
            shown.remove(order.pop())
        widths = {index: self._wish(index) for index in shown}
        spare = _total(widths.values()) - columns
        for index in shown:
            if spare > 0 and self.columns[index].least:
                less = min(spare, widths[index] - self._wish(index, least=True))
                widths[index] -= less
                spare -= less
        if spare <= 0:
            return widths
        # Between words first: a name in two halves is hard to read.
        least = {index: self.columns[index].folds for index in shown if self.columns[index].folds}
        whole = {index: max(folds, min(self._longest_word(index), widths[index])) for index, folds in least.items()}
        for floors in (whole, least):
            widths, spare = _folded(widths, floors, spare)
        return widths if spare <= 0 else None

    def _longest_word(self, index: int) -> int:
        cells = (row[index] for row in self.rows)
        return max(
            (cell_len(word) for cell in cells if isinstance(cell, Text) for word in cell.plain.split()), default=0
        )

    def _stacked(self, columns: int, signs: Signs) -> RenderableType:
        """Rows below one another: the first cell, then the others in a line of their own."""
        shown = [index for index in self._filled() if self.columns[index].drop < EARLY]
        name, *headers = (self.columns[index].header for index in shown)
        header = f"{name}: {', '.join(headers)}" if name else ", ".join(headers)
        rule = signs.rule.head_row_horizontal * min(cell_len(header), columns)
        parts: list[RenderableType] = [Text(header, style="dim bold"), Text(rule, style="dim")]
        for number, row in enumerate(self.rows):
            parts += [self.groups[number]] if number in self.groups else []
            first, *others = (_drawn(row[index], _natural(row[index])) for index in shown)
            below = Text("  ").join([cell for cell in others if cell])
            parts += [first, *([Padding(below, (0, 0, 0, 2))] if below else [])]
        return Group(*parts)


@dataclass(frozen=True)
class Section:
    """A table with its title above and remarks below.

    Attributes:
        title: What it shows, and what is the same for all of its rows.
        grid: The table; None where there is none.
        below: Lines under it.
    """

    title: Text
    grid: Grid | None = None
    below: tuple[RenderableType, ...] = ()

    @property
    def least(self) -> int:
        """Columns that one line per row needs."""
        return self.grid.least if self.grid else 0

    @property
    def natural(self) -> int:
        """Columns that all of it would take."""
        return self.grid.natural if self.grid else 0

    def height(self, columns: int) -> int:
        """Lines that it takes; at least, for a title or a remark may wrap."""
        return 1 + (self.grid.height(columns) if self.grid else 0) + len(self.below)

    def render(self, columns: int, signs: Signs) -> RenderableType:
        """The section in a width."""
        grid = [self.grid.render(columns, signs)] if self.grid and self.grid.rows else []
        return Group(self.title, *grid, *self.below)


def title(name: str, *facts: str | Text) -> Text:
    """A heading: the name, then what is said of all that follows."""
    said = Text("; ").join([fact if isinstance(fact, Text) else Text(fact) for fact in facts])
    heading = Text(name, style="bold")
    return Text.assemble(heading, "   ", said) if facts else heading


def labelled(word: str, text: str | Text, *, style: str = "", indent: int = 0) -> RenderableType:
    """A word, and beside it a text that stays in its column where it takes several lines."""
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(width=LABEL + indent, no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(Text(" " * indent).append(word, style=style), text if isinstance(text, Text) else Text(text))
    return line


def flow(parts: Iterable[Text], columns: int, between: str, *, lead: str = "") -> list[Text]:
    """Parts side by side in as many lines as they take, broken between parts alone.

    Args:
        parts: What is shown.
        columns: Width of a line.
        between: What stands between two parts of a line.
        lead: What each line but the first begins with.
    """
    lines: list[Text] = []
    for part in parts:
        longer = Text.assemble(lines[-1], between, part) if lines else part
        if lines and longer.cell_len <= columns:
            lines[-1] = longer
        else:
            lines.append(Text.assemble(lead, part) if lines else part)
    return lines


def _folded(widths: Mapping[int, int], least: Mapping[int, int], spare: int) -> tuple[dict[int, int], int]:
    """Widths with up to so many columns less, each taken from the widest that may be folded; then what is left over."""
    narrower = dict(widths)
    while spare > 0 and (room := [index for index in least if narrower[index] > least[index]]):
        narrower[max(room, key=narrower.__getitem__)] -= 1
        spare -= 1
    return narrower, spare


def _total(widths: Iterable[int]) -> int:
    listed = list(widths)
    return sum(listed) + _GAP * max(len(listed) - 1, 0)


def _natural(cell: Cell) -> int:
    if isinstance(cell, Text):
        return max(map(cell_len, cell.plain.splitlines()), default=0)
    return cell.natural


def _drawn(cell: Cell, columns: int) -> Text:
    return cell if isinstance(cell, Text) else cell.draw(columns)
