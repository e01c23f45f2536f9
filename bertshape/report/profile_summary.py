"""What follows from the counts: percentiles, truncation, padding, bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from bertshape.corpus.counts import cut_lengths, sorted_batches
from bertshape.shapes import DTYPE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bertshape.corpus.counts import Shape
    from bertshape.report.profile import ProfileReport

EFFECTIVE = "effective"
"""Name of the limit that applies, which no file declares, among those that files do."""
PERCENTILES: tuple[float, ...] = (50, 90, 95, 99, 99.9)
_ROWS = 16
"""Most steps of a histogram."""
DTYPES = ("float32", "float16", "bfloat16")
MAX_LENGTH: Final = "max_length"
LONGEST: Final = "longest"
SORTED: Final = "longest_sorted"
Way = Literal["longest", "longest_sorted", "max_length"]
"""How texts get one length; sorted by length before they make batches, or in their order."""


@dataclass(frozen=True)
class Length:
    """Lengths of texts in tokens, special ones included.

    Attributes:
        least: Shortest.
        mean: Mean.
        percentiles: Length that this share of the texts does not exceed (nearest rank).
        most: Longest.
    """

    least: int
    mean: float
    percentiles: Mapping[float, int]
    most: int


@dataclass(frozen=True)
class Cut:
    """What a limit would cut.

    Attributes:
        where: Where it is declared.
        limit: Tokens.
        texts: How many texts are longer.
        share: Their share of all texts.
        tokens: Tokens that would be lost.
    """

    where: str
    limit: int
    texts: int
    share: float
    tokens: int


@dataclass(frozen=True)
class Waste:
    """Padding under one way of making batches.

    Attributes:
        padding: `longest`, `longest_sorted` (by length), or `max_length`.
        batch_size: Texts a batch.
        batches: Number of batches.
        positions: Positions that would run, padding included.
        share: Share of them that is padding.
        largest: Shape of the largest batch, as rows and positions.
        bytes: Bytes of last_hidden_state of that batch, by dtype.
        memory: Tensor bytes of inference in the batch that takes most, by dtype; empty where that is not known.
    """

    padding: Way
    batch_size: int
    batches: int
    positions: int
    share: float
    largest: tuple[int, int]
    bytes: Mapping[str, int]
    memory: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """All that a profile says to people; `unknown_share` is that of the content tokens."""

    texts: int
    tokens: int
    special: int
    unknown_share: float
    texts_with_unknown: int
    length: Length | None
    cuts: tuple[Cut, ...]
    waste: tuple[Waste, ...]


def summarize(profile: ProfileReport) -> Summary:
    """What follows from the counts of a profile; exact, but for shares and means, which are rounded to 6 digits."""
    counts = profile.counts
    return Summary(
        texts=counts.texts,
        tokens=counts.tokens,
        special=counts.special,
        unknown_share=_share(counts.unknown, counts.tokens - counts.special),
        texts_with_unknown=counts.texts_with_unknown,
        length=_length(counts.lengths) if counts.texts else None,
        cuts=tuple(_cuts(profile)),
        waste=tuple(_waste(profile)),
    )


def histogram(lengths: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """Texts by length in equal steps: first length, last length, number of texts.

    The last step takes all that is far beyond the others: one endless text would press the rest into one bar.

    Args:
        lengths: How many texts have which length; at least one.
    """
    least, most, usual = min(lengths), max(lengths), percentile(lengths, 99)
    far = most - least > 2 * (usual - least + 1)
    end, rows = (usual, _ROWS - 1) if far else (most, _ROWS)
    step = -(-(end - least + 1) // rows)
    lows = list(range(least, end + 1, step))
    highs = [*(low - 1 for low in lows[1:]), end]
    if far:
        lows, highs = [*lows, end + 1], [*highs, most]
    totals = [0] * len(lows)
    for length, count in lengths.items():
        totals[len(lows) - 1 if length > end else (length - least) // step] += count
    return list(zip(lows, highs, totals, strict=True))


def percentile(lengths: Mapping[int, int], percent: float) -> int:
    """The least length that this share of the texts does not exceed: nearest rank, in whole numbers.

    Args:
        lengths: How many texts have which length; not empty.
        percent: At most one digit after the point counts.
    """
    needed, seen = -(-sum(lengths.values()) * round(percent * 10) // 1000), 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= needed:
            break
    return length


def _length(lengths: Mapping[int, int]) -> Length:
    mean = sum(length * count for length, count in lengths.items()) / sum(lengths.values())
    percentiles = {percent: percentile(lengths, percent) for percent in PERCENTILES}
    return Length(min(lengths), round(mean, 6), percentiles, max(lengths))


def _cuts(profile: ProfileReport) -> Iterable[Cut]:
    lengths, limits = profile.counts.lengths, dict(profile.setting.limits)
    if profile.setting.max_length is not None:
        limits["--max-length"] = profile.setting.max_length
    for where, limit in sorted(limits.items(), key=lambda item: item[1]):
        over = {length: count for length, count in lengths.items() if length > limit}
        texts = sum(over.values())
        lost = sum((length - limit) * count for length, count in over.items())
        yield Cut(where, limit, texts, _share(texts, profile.counts.texts), lost)


def _waste(profile: ProfileReport) -> Iterable[Waste]:
    setting = profile.setting
    lengths = cut_lengths(profile.counts.lengths, setting.cut_at)
    texts, tokens = profile.counts.texts, sum(length * count for length, count in lengths.items())
    for size in setting.batch_sizes if texts else ():
        ways: dict[Way, Iterable[tuple[Shape, int]]] = {
            LONGEST: profile.counts.batches.get(size, {}).items(),
            SORTED: sorted_batches(lengths, size),
        }
        if setting.cut_at is not None:
            ways[MAX_LENGTH] = _fixed(texts, size, setting.cut_at)
        for name, shapes in ways.items():
            counted = list(shapes)
            positions = sum(rows * length * count for (rows, length), count in counted)
            largest = max((shape for shape, _ in counted), key=lambda shape: (shape[0] * shape[1], shape))
            elements = largest[0] * largest[1] * setting.hidden_size
            yield Waste(
                padding=name,
                batch_size=size,
                batches=sum(count for _, count in counted),
                positions=positions,
                share=_share(positions - tokens, positions),
                largest=largest,
                bytes={dtype: elements * DTYPE_BYTES[dtype] for dtype in DTYPES},
                memory={one.dtype: max(one.bytes(shape) for shape, _ in counted) for one in setting.memory},
            )


def _fixed(texts: int, size: int, length: int) -> list[tuple[Shape, int]]:
    full = [((size, length), texts // size)] if texts >= size else []
    return full + ([((texts % size, length), 1)] if texts % size else [])


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
