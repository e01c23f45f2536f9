"""Names of stored tensors, a run of layers folded into one: `encoder.layer.{0-5}.output.dense.weight`."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_NAMES = 100_000
"""A name that stands for more is taken as it is written: no checkpoint stores so many tensors."""

_RANGE = re.compile(r"\{(0|[1-9][0-9]{0,8})-([1-9][0-9]{0,8})\}")
_LAYER = re.compile(r"0|[1-9][0-9]{0,8}")

_Names = dict[tuple[str, ...], tuple[int, ...]]


def fold_names(tensors: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Give consecutive layers whose tensor has one shape a single name, in the order of first appearance.

    A layer that lacks the tensor, or has it in another shape, ends the run; `unfold_name` gives every name back.
    """
    # A stored name that already looks folded would come back as several: it is kept out of all runs.
    literal = {name: shape for name, shape in tensors.items() if _RANGE.search(name)}
    names: _Names = {tuple(name.split(".")): shape for name, shape in tensors.items() if name not in literal}
    for position in range(max(map(len, names), default=0)):
        names = _fold_at(names, position, literal)
    return {".".join(parts): shape for parts, shape in names.items()} | literal


def unfold_name(name: str) -> list[str]:
    """All names that a folded name stands for; a name without a range stands for itself."""
    parts = _RANGE.split(name)
    ranges = [range(int(first), int(last) + 1) for first, last in zip(parts[1::3], parts[2::3], strict=True)]
    total = 1
    for numbers in ranges:
        total *= len(numbers)
    if not 0 < total <= MAX_NAMES:
        return [name]
    return ["".join(_interleave(parts[0::3], numbers)) for numbers in itertools.product(*ranges)]


def _fold_at(names: _Names, position: int, literal: Mapping[str, tuple[int, ...]]) -> _Names:
    """Fold the layer numbers that stand at one position of the dotted names."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for parts, shape in names.items():
        if len(parts) > position and _LAYER.fullmatch(parts[position]):
            alike.setdefault((parts[:position], parts[position + 1 :], shape), []).append(int(parts[position]))
    folded: dict[tuple[str, ...], tuple[str, ...]] = {}
    for (before, after, _), numbers in alike.items():
        for first, last in _runs(sorted(numbers)):
            new = (*before, f"{{{first}-{last}}}", *after)  # type: ignore[misc]  # tuples, by construction above
            if first < last and ".".join(new) not in literal:
                folded |= {(*before, str(number), *after): new for number in range(first, last + 1)}  # type: ignore[misc]
    return {folded.get(parts, parts): shape for parts, shape in names.items()}


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """First and last number of every run without a gap."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _interleave(texts: list[str], numbers: tuple[int, ...]) -> Iterator[str]:
    for text, number in itertools.zip_longest(texts, numbers, fillvalue=""):
        yield text
        yield str(number)
