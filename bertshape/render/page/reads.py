"""Which tokens a strategy reads: as runs for the script, and as bars that need none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARS = 64
"""Most bars of one text; of a longer one each bar is the mean of several tokens."""
SHOWN_TEXTS = 4
"""Most texts whose bars stand in a row of the table."""


@dataclass(frozen=True)
class ReadBar:
    """The weight of a token, or the mean weight of several.

    Attributes:
        weight: From 0 to 1.
        colour: Class that gives it its colour.
    """

    weight: float
    colour: str

    @property
    def height(self) -> float:
        """In percent; a token that is not read has a mark all the same."""
        return round(12 + 88 * self.weight, 1) if self.weight else 8.0


def runs(texts: Sequence[Sequence[float]]) -> str:
    """The weights of all texts, equal neighbours as one run: `1*8 0*3;1*11`.

    Args:
        texts: Weights of the tokens of each text.
    """
    return ";".join(
        " ".join(f"{weight:g}*{len(list(run))}" for weight, run in groupby(round(weight, 3) for weight in text))
        for text in texts
    )


def bars(weights: Sequence[float], colours: Sequence[str]) -> list[ReadBar]:
    """The bars of one text."""
    count = len(weights)
    if count <= _BARS:
        return [ReadBar(weight, colour) for weight, colour in zip(weights, colours, strict=True)]
    found = []
    for index in range(_BARS):
        first, end = index * count // _BARS, (index + 1) * count // _BARS
        inside = set(colours[first:end])
        mean = sum(weights[first:end]) / (end - first)
        found.append(ReadBar(mean, inside.pop() if len(inside) == 1 else "many"))
    return found
