"""Names and numbers in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 3


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, in the plural where it is not one.

    Args:
        number: How many there are.
        noun: What they are, in the singular.
        plural: The plural, where it has more than an `s` besides.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
