"""Tensors as boxes: each axis as long as the logarithm of its size, so that one sees which axis goes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.shapes import TensorShape

_DOWN, _ACROSS, _BACK = 34.0, 12.5, 9.0
"""Pixels for each doubling of the second axis, of the last one, and of batch_size."""
THIN = 15.0
"""Pixels of an axis that is not there."""
_SHEETS = 4
"""Most sheets that are drawn for the texts of a batch."""
_BANDS = 32
"""Most bands that a box is cut into, each for one token or for several."""
_LABELLED = 12.5
"""Height of a band that has room for a token's string."""


@dataclass(frozen=True)
class Band:
    """A slice of a box: the vector of a token, or of several where there are too many.

    Attributes:
        first: Position of its first token.
        last: Position of its last token.
        y: Where it begins.
        height: How high it is.
        colour: Class that gives it its colour.
        label: What stands in it, where there is room.
    """

    first: int
    last: int
    y: float
    height: float
    colour: str
    label: str = ""


@dataclass(frozen=True)
class Box:
    """A tensor as it is drawn.

    Attributes:
        width: Width of the front sheet.
        height: Height of the front sheet.
        sheets: Offsets of the sheets behind the front one, the farthest first.
        bands: Slices of the front sheet.
        ghost: Height that the tensor had before an axis went; 0 where none did.
    """

    width: float
    height: float
    sheets: tuple[float, ...] = ()
    bands: tuple[Band, ...] = ()
    ghost: float = 0.0

    @property
    def depth(self) -> float:
        """How far the farthest sheet is behind."""
        return max(self.sheets, default=0.0)

    @property
    def top(self) -> float:
        """Where the front sheet begins: in the middle of what was there before."""
        return round(self.depth + max(self.ghost - self.height, 0.0) / 2, 1)

    @property
    def total_width(self) -> float:
        """Width of the picture."""
        return round(self.width + self.depth + 2, 1)

    @property
    def total_height(self) -> float:
        """Height of the picture."""
        return round(max(self.height, self.ghost) + self.depth + 2, 1)


def down(size: int) -> float:
    """Pixels of sequence_length, num_words and the like."""
    return round(_DOWN * math.log2(size + 1), 1)


def across(size: int) -> float:
    """Pixels of hidden_size, num_labels and the like."""
    return round(_ACROSS * math.log2(size + 1), 1)


def box_of(
    shape: TensorShape,
    colours: Sequence[str] = (),
    labels: Sequence[str] = (),
    *,
    width: float | None = None,
    ghost: float = 0.0,
) -> Box:
    """The box of a tensor.

    Args:
        shape: Shape; its first axis is batch_size, a second of three goes down, the last goes across.
        colours: Class of each position; empty for a box in one piece.
        labels: What stands in each position, where there is room.
        width: Width of a tensor whose last axis is sequence_length, which goes down.
        ghost: Height of the tensor that it was made from, where that had one axis more.
    """
    batch_size, *inner = shape.sizes or (1,)
    if width is not None:
        inner = [*inner, 1]
    length = math.prod(inner[:-1]) if len(inner) > 1 else None
    high = THIN if length is None else down(length)
    wide = width if width is not None else across(inner[-1] if inner else 1)
    if length is None or not colours:
        bands: tuple[Band, ...] = ()
    else:
        bands = _bands(colours, labels, high)
    return Box(wide, high, _sheets(batch_size), bands, ghost)


def _sheets(batch_size: int) -> tuple[float, ...]:
    """Sheets for the other texts of a batch, together as deep as the logarithm of their number."""
    behind = min(batch_size - 1, _SHEETS)
    depth = _BACK * math.log2(max(batch_size, 1))
    return tuple(round(depth * number / behind, 1) for number in range(behind, 0, -1))


def _bands(colours: Sequence[str], labels: Sequence[str], high: float) -> tuple[Band, ...]:
    count = len(colours)
    number = min(count, _BANDS)
    bands = []
    for index in range(number):
        first, end = index * count // number, (index + 1) * count // number
        inside = list(colours[first:end])
        y, below = high * first / count, high * end / count
        # A band of several tokens has a colour only where they share it.
        colour = inside[0] if len(set(inside)) == 1 else "many"
        label = labels[first] if labels and high / number >= _LABELLED else ""
        bands.append(Band(first, end - 1, round(y, 1), round(max(below - y - 1.2, 1.0), 1), colour, label))
    return tuple(bands)
