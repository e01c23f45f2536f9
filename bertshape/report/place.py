"""Where a person has to look: a file and a line of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A line of a file.

    Attributes:
        file: Path of the file, as seen from the working directory.
        line: Number of the line, from 1.
    """

    file: str
    line: int = 1
