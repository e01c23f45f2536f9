"""Whole numbers about a corpus, and how they add up: exactly, in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Shape = tuple[int, int]
"""Rows of a batch, and positions of each."""


@dataclass(frozen=True)
class Counts:
    """What was counted in some texts.

    Attributes:
        lengths: How many texts have how many tokens, special ones included, before any cut.
        unknown: Tokens that the vocabulary does not know.
        texts_with_unknown: Texts that have one of these.
        special: Special tokens that the tokenizer added.
        batches: By batch size: how many batches of which shape the texts make in their order, padded to the longest
            of each batch, texts cut at the limit that applies. Batches never cross a file.
    """

    lengths: Mapping[int, int]
    unknown: int
    texts_with_unknown: int
    special: int
    batches: Mapping[int, Mapping[Shape, int]]

    @property
    def texts(self) -> int:
        """Number of texts."""
        return sum(self.lengths.values())

    @property
    def tokens(self) -> int:
        """Number of tokens, special ones included."""
        return sum(length * count for length, count in self.lengths.items())

    def __add__(self, other: Counts) -> Counts:
        sizes = {*self.batches, *other.batches}
        return Counts(
            lengths=Counter(self.lengths) + Counter(other.lengths),
            unknown=self.unknown + other.unknown,
            texts_with_unknown=self.texts_with_unknown + other.texts_with_unknown,
            special=self.special + other.special,
            batches={
                size: Counter(self.batches.get(size, {})) + Counter(other.batches.get(size, {}))
                for size in sorted(sizes)
            },
        )


def cut_lengths(lengths: Mapping[int, int], limit: int | None) -> Counter[int]:
    """The same texts, none longer than a limit."""
    cut: Counter[int] = Counter()
    for length, count in lengths.items():
        cut[length if limit is None else min(length, limit)] += count
    return cut


def sorted_batches(lengths: Mapping[int, int], batch_size: int) -> Iterator[tuple[Shape, int]]:
    """Shapes of the batches that texts make when they are sorted by length, longest first, and how many of each.

    No text is looked at by itself: as many batches as one length fills are counted at once.

    Args:
        lengths: How many texts have which length.
        batch_size: Texts a batch; the last one may have fewer.
    """
    open_rows = open_length = 0
    for length in sorted(lengths, reverse=True):
        count = lengths[length]
        if open_rows:
            taken = min(count, batch_size - open_rows)
            open_rows, count = open_rows + taken, count - taken
            if open_rows == batch_size:
                yield (batch_size, open_length), 1
                open_rows = 0
        if count >= batch_size:
            yield (batch_size, length), count // batch_size
        if count % batch_size and not open_rows:
            open_rows, open_length = count % batch_size, length
    if open_rows:
        yield (open_rows, open_length), 1


class BatchShapes:
    """The shapes of batches in the order of the texts, counted as they come; the one value here that changes.

    Args:
        batch_size: Texts a batch; the last one may have fewer.
        cut_at: Length at which texts are cut, or None.
    """

    def __init__(self, batch_size: int, cut_at: int | None) -> None:
        self._batch_size, self._cut_at = batch_size, cut_at
        self._open: list[int] = []
        self._shapes: Counter[Shape] = Counter()

    def add(self, sizes: list[int]) -> None:
        """Take the lengths of more texts."""
        waiting, step = self._open + sizes, self._batch_size
        full = len(waiting) - len(waiting) % step
        for start in range(0, full, step):
            self._shapes[step, self._cut(max(waiting[start : start + step]))] += 1
        self._open = waiting[full:]

    def end(self) -> Counter[Shape]:
        """The shapes, the last batch as small as it is."""
        if self._open:
            self._shapes[len(self._open), self._cut(max(self._open))] += 1
            self._open = []
        return self._shapes

    def _cut(self, length: int) -> int:
        return length if self._cut_at is None else min(length, self._cut_at)
