"""How a strategy is written: `mean`, `mean@-2`, `mean@-4:concat`, `cls+mean@1:3:sum`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from bertshape.errors import UsageError
from bertshape.pooling.layer_ranges import JOINS, Layers

GRAMMAR = "NAME, NAME@LAYER or NAME@FIRST:LAST[:concat|:sum|:mean], several joined by +"
"""The notation in one line."""

_HINT = f"Write {GRAMMAR}: mean, mean@-2, mean@-4:concat, cls+mean."
# No more digits than any model needs: Python refuses to read very long numbers. -0 would be the first, not the last.
_LAYER = re.compile(r"0|-?[1-9][0-9]{0,5}")
_SHOWN = 60


@dataclass(frozen=True)
class Term:
    """A strategy's name, and the layers it is computed on; None for last_hidden_state."""

    name: str
    layers: Layers | None = None

    def __str__(self) -> str:
        return self.name if self.layers is None else f"{self.name}@{self.layers}"


def parse(text: str) -> tuple[Term, ...]:
    """Read the terms of a strategy; whether their names exist is not looked at.

    Args:
        text: One term, or several joined by `+`.

    Raises:
        UsageError: The text does not follow the grammar.
    """
    if re.search(r"\s", text):
        refuse(text, "has a blank in it")
    parts = text.split("+")
    return tuple(_term(text, part, number) for number, part in enumerate(parts, start=1))


def refuse(text: str, problem: str, hint: str = _HINT) -> NoReturn:
    """Refuse a strategy.

    Raises:
        UsageError: Always.
    """
    raise UsageError(f"pooling {_quoted(text)} {problem}", hint=hint, code="pooling-invalid")


def _term(text: str, part: str, number: int) -> Term:
    where = f" in part {number}" if "+" in text else ""
    if not part:
        refuse(text, f"has nothing{where}" if where else "is empty")
    name, at, layers = part.partition("@")
    if not name:
        refuse(text, f"has no name before @{where}")
    if ":" in name:
        refuse(text, f"has a colon in the name {_quoted(name)}{where}: layers stand after @")
    return Term(name, _layers(text, layers, where) if at else None)


def _layers(text: str, written: str, where: str) -> Layers:
    if not written:
        refuse(text, f"has nothing after @{where}")
    ends = written.split(":")
    join = next((join for join in JOINS if join == ends[-1]), None)
    if join is not None:
        ends.pop()
        if not ends:
            refuse(text, f"names no layers to {join}{where}")
    elif len(ends) > 1 and ends[-1].isalpha():
        refuse(text, f"has {_quoted(ends[-1])}{where}: layers are joined by concat, sum or mean")
    if len(ends) > 2:
        refuse(text, f"has {len(ends)} numbers after @{where}, expected FIRST:LAST at most")
    numbers = [_number(text, end, where) for end in ends]
    if len(numbers) == 1 and join is None:
        return Layers(numbers[0])
    # `-4:concat` is short for `-4::concat`.
    layers = Layers(numbers[0], numbers[1] if len(numbers) == 2 else None, join or "mean")
    if layers.never_any:
        refuse(text, f"takes no layers{where}: {':'.join(ends)} is empty in every model")
    return layers


def _number(text: str, end: str, where: str) -> int | None:
    if not end:
        return None
    if not _LAYER.fullmatch(end):
        refuse(text, f"has {_quoted(end)} after @{where}, which is no number of a layer")
    return int(end)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
