"""One line of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bertshape.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

State = Literal["ok", "note", "warning", "error"]
STATES: tuple[State, ...] = ("ok", "note", "warning", "error")
"""Least grave first; only an error makes bertshape unusable."""


@dataclass(frozen=True)
class Fact:
    """Something about this machine that bertshape depends on.

    Attributes:
        area: What it belongs to, such as `devices`.
        name: What it is.
        value: What was found.
        state: How good that is.
        meaning: What it means for bertshape, or what to do about it.
        numbers: What `value` says for people, exactly.
    """

    area: str
    name: str
    value: str
    state: State
    meaning: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Area:
    """Facts that belong together.

    Attributes:
        name: Name of the area.
        facts: Its facts, in the order in which they are read.
    """

    name: str
    facts: tuple[Fact, ...]


def gather(area: str, examine: Callable[[], Iterable[Fact]]) -> Area:
    """Collect the facts of an area; those that cannot be had are one more fact, never a crash."""
    facts: list[Fact] = []
    try:
        for fact in examine():
            facts.append(fact)  # one by one: what came before a failure is kept
    except Exception as error:  # whatever is broken here is what a diagnosis is for
        reason = f"{type(error).__name__}: {one_line(error)}"
        facts.append(Fact(area, "examination", "stopped", "warning", f"The rest is not known: {reason}"))
    return Area(area, tuple(facts))


def gib(count: int) -> str:
    """Bytes in the unit that memory and disks are thought of in."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 // 10 else f"{count / 2**20:.1f} MiB"
