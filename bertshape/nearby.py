"""Names that are not there, and those beside them that may have been meant."""

from __future__ import annotations

import difflib
import os

_SCANNED = 10_000
"""Entries of a folder that are looked at."""


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
