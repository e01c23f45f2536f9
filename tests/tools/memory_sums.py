"""Sums of products of sizes, such as 7*T*H+S: which of them may be the largest, and how the files write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Sum = dict[tuple[str, int], float]
"""How often a product occurs, by its letters, and 0 where it counts elements of the dtype of the weights, 1 bytes."""


def most(states: Iterable[Sum]) -> Sum:
    """The most that there is of each product at any moment."""
    found: Sum = {}
    for state in states:
        for key, value in state.items():
            found[key] = max(value, found.get(key, 0))
    return found


def frontier(states: Iterable[Sum]) -> list[Sum]:
    """The states that no other one covers, whatever the sizes are."""
    every = {tuple(sorted((key, value) for key, value in state.items() if value)) for state in states}
    kept: list[Sum] = []
    for state in map(dict, sorted(every, key=lambda state: -sum(value for _, value in state))):
        if not any(covers(other, state) for other in kept):
            kept = [other for other in kept if not covers(state, other)]
            kept.append(state)
    return kept


def covers(larger: Sum, smaller: Sum) -> bool:
    """Whether one sum is at least another for all sizes from 1 on: each product is part of one that is left."""
    spare = {key: larger.get(key, 0) - smaller.get(key, 0) for key in {*larger, *smaller}}
    for letters, kind in sorted(spare, key=lambda key: len(key[0])):
        for other, left in list(spare.items()):
            lack = -spare[letters, kind]
            if lack > 0 and left > 0 and divides(letters, other[0]) and other[1] <= kind:
                # Bytes are at most as many as elements of two.
                taken = min(left, lack if other[1] == kind else lack / 2)
                spare[other] -= taken
                spare[letters, kind] += taken if other[1] == kind else 2 * taken
    return all(value >= 0 for value in spare.values())


def divides(part: str, whole: str) -> bool:
    """Whether a product is part of another; key/value heads are at most as many as heads."""
    heads = part.count("A") + part.count("G") <= whole.count("A") + whole.count("G")
    return heads and all(part.count(letter) <= whole.count(letter) for letter in part if letter != "G")


def rounded(terms: Mapping[tuple[str, int], float]) -> Sum:
    """The same where an element has 4 bytes."""
    found: Sum = {}
    for (letters, kind), value in terms.items():
        found[letters, 0] = found.get((letters, 0), 0) + (value / 4 if kind else value)
    return {key: value for key, value in found.items() if value}


def written(terms: Mapping[tuple[str, int], float]) -> str:
    """A sum as the files have it: T is B*L, S is A*B*L*L, w the bytes of an element."""
    parts = []
    for (letters, kind), value in sorted(terms.items(), key=lambda item: (item[0][1], -item[1], item[0])):
        left, names = letters, []
        for group, name in (("BLLA", "S"), ("BL", "T")):
            if divides(group, left):
                names.append(name)
                for letter in group:
                    left = left.replace(letter, "", 1)
        whole = next(number for number in (1, 2, 4, 8, 16) if not value * number % 1)
        times = int(abs(value) * whole)
        product = "*".join([*([str(times)] if times != 1 else []), *names, *left])
        parts.append(
            ("-" if value < 0 else "+") + product + (f"/{whole}" if whole > 1 else "") + ("/w" if kind else "")
        )
    return "".join(parts).removeprefix("+") or "0"
