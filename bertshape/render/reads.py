"""Which tokens a strategy reads, drawn: a bar per token, its weight as height, a dot where it is not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.render.tables import Signs
    from bertshape.tokens.batch import Kind, Row

FOLD_ABOVE, FOLD_KEEP = 40, 15
"""A longer list of tokens is folded in the middle, and so many are kept at each end."""
LEAST = 7
"""Fewest columns in which a folded bar says something: three tokens, dots, three tokens."""
# Not up to a full block: bars of neighbouring rows would run into one another.
_HEIGHTS = "·▁▂▃▄▅▆▇"
_STYLE = {"special": "magenta", "padding": "red"}


@dataclass(frozen=True)
class Bar:
    """A cell with a bar per token.

    Attributes:
        weights: Relative weight of each token, 0 to 1.
        kinds: What each token is; padding that is read stands out.
        signs: Characters that the terminal has.
    """

    weights: Sequence[float]
    kinds: Sequence[Kind]
    signs: Signs

    @property
    def natural(self) -> int:
        """Columns that it would take if it could."""
        if not self.signs.unicode:
            return len(self._count())
        return len(self.weights) if len(self.weights) <= FOLD_ABOVE else 2 * FOLD_KEEP + 1

    def draw(self, columns: int) -> Text:
        """The bar, folded in the middle where it is too long; a count where no bar can be drawn."""
        if not self.signs.unicode or columns < min(LEAST, len(self.weights)):
            return Text(self._count())
        if len(self.weights) <= min(columns, FOLD_ABOVE):
            return self._bars(range(len(self.weights)))
        keep = min((columns - 1) // 2, FOLD_KEEP)
        last = range(len(self.weights) - keep, len(self.weights))
        return Text.assemble(self._bars(range(keep)), (self.signs.dots, "dim"), self._bars(last))

    def _bars(self, positions: range) -> Text:
        text = Text()
        for position in positions:
            weight = self.weights[position]
            height = max(round(weight * (len(_HEIGHTS) - 1)), 1) if weight else 0
            text.append(_HEIGHTS[height], style=_STYLE.get(self.kinds[position], "") if weight else "dim")
        return text

    def _count(self) -> str:
        return f"{sum(weight > 0 for weight in self.weights)} of {len(self.weights)}"


def shown_text(rows: Sequence[Row]) -> int:
    """Index of the text whose tokens the bars show: the first that has padding, for there strategies differ most."""
    return next((index for index, row in enumerate(rows) if row.padding), 0)
