"""How far some files are read, and how many texts they will have given at their end."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bertshape.corpus.text_file import TextFile


class Meter:
    """Follows the reading of files, one after the other; a value that changes.

    Attributes:
        texts: Texts read so far.
    """

    def __init__(self, files: Sequence[TextFile]) -> None:
        """Look at the sizes of the files; pipes have none, and then nothing is estimated."""
        self.texts = 0
        sizes = [_size(file.path) for file in files]
        self._sizes = iter(sizes)
        self._total = None if None in sizes else sum(size for size in sizes if size is not None)
        self._before = self._size = 0
        self._position: Callable[[], int] | None = None

    def begin(self, position: Callable[[], int] | None) -> None:
        """A file is opened.

        Args:
            position: Gives the number of its bytes that are read; None where that is not known.
        """
        self._size = next(self._sizes, None) or 0
        self._position = position

    def count_rows(self, rows: int) -> None:
        """The file that is open says how many texts it has."""
        size, start = self._size, self.texts
        self._position = lambda: size * (self.texts - start) // max(rows, 1)

    def end(self) -> None:
        """The file is closed, and will not be read again."""
        self._before, self._position = self._before + self._size, None

    def estimate(self) -> int | None:
        """How many texts the files hold, as far as what was read shows it; None where it cannot."""
        if self._total is None:
            return None
        read = self._before + (self._position() if self._position is not None else 0)
        return round(self.texts * max(self._total / read, 1)) if read and self.texts else None


def _size(path: str) -> int | None:
    try:
        status = os.fstat(sys.stdin.fileno()) if path == "-" else os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
