"""What messages are made of: numbers with their nouns, lists of names, and names that may have been meant."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 3
_SCANNED = 10_000
"""Entries of a folder that are looked at."""


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


def near_names(name: str, *, folders: bool) -> list[str]:
    """Folders or files where a name points to whose names are near it, the nearest first.

    Args:
        name: Path of what is not there.
        folders: Whether it is a folder that is sought, not a file.
    """
    parent, wanted = os.path.split(name.rstrip("/"))
    here: list[str] = []
    try:
        with os.scandir(os.path.expanduser(parent) or ".") as entries:
            for entry, _ in zip(entries, range(_SCANNED), strict=False):
                if entry.is_dir() if folders else entry.is_file():
                    here.append(entry.name)
    except OSError:
        return []
    # Names of folders part in their versions, those of files in a letter.
    near = difflib.get_close_matches(wanted, sorted(here), n=3, cutoff=0.5 if folders else 0.7)
    return [os.path.join(parent, name) for name in near]
