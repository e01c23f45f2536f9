"""The folder into which checkpoints of the Hub are downloaded."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.pipelines.doctor.fact import Fact, gib

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = "cache folder"
_REPOSITORY = "models--"
_SMALL = 2**30
_CHOOSERS = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")
"""Variables that move the folder, the strongest first."""


@dataclass(frozen=True)
class FolderSize:
    """What a folder holds.

    Attributes:
        bytes: Size of its files. Links are not followed: the cache stores a file once and links to it by its names.
        files: How many there are, each counted once.
        repositories: Folders of models at its top.
        unreadable: Folders and files that could not be looked at.
    """

    bytes: int
    files: int
    repositories: int
    unreadable: int


def measure_folder(folder: Path) -> FolderSize:
    """Add up the files below a folder; what cannot be read is counted, and left out."""
    size = files = repositories = unreadable = 0
    seen: set[tuple[int, int]] = set()
    left = [str(folder)]
    while left:
        current = left.pop()
        try:
            with os.scandir(current) as entries:
                inside = list(entries)
        except OSError:
            unreadable += 1
            continue
        for entry in inside:
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError:  # deleted meanwhile, or hidden from us
                unreadable += 1
                continue
            if stat.S_ISDIR(found.st_mode):
                left.append(entry.path)
                repositories += current == str(folder) and entry.name.startswith(_REPOSITORY)
            elif stat.S_ISREG(found.st_mode) and (found.st_dev, found.st_ino) not in seen:
                if found.st_nlink > 1:  # hard links are one file on the disk too
                    seen.add((found.st_dev, found.st_ino))
                size, files = size + found.st_size, files + 1
    return FolderSize(size, files, repositories, unreadable)


def cache_facts() -> Iterator[Fact]:
    """Where the cache is, what it holds, and what fits in."""
    from bertshape.checkpoint.hub import hub_settings

    folder = hub_settings().cache_folder
    chooser = next((name for name in _CHOOSERS if os.environ.get(name)), None)
    chosen = f"by {chooser}" if chooser else "by default, set HF_HOME to move it"
    yield _place(folder, chosen)
    if folder.is_dir():
        yield _content(measure_folder(folder))
    yield _space(_existing(folder))


def _place(folder: Path, chosen: str) -> Fact:
    existing = _existing(folder)
    writable = existing.is_dir() and _is_writable(existing)
    if folder.is_dir() and writable:
        return Fact(AREA, "path", str(folder), "ok", f"Checkpoints of the Hub are kept there ({chosen})")
    if folder.is_dir():
        meaning = f"It cannot be written: nothing new can be fetched ({chosen})"
        return Fact(AREA, "path", str(folder), "warning", meaning)
    if existing == folder or not existing.is_dir():
        meaning = f"{existing} is not a folder: nothing can be fetched from the Hub ({chosen})"
        return Fact(AREA, "path", str(folder), "warning", meaning)
    if not writable:
        meaning = f"It cannot be made in {existing}: nothing can be fetched from the Hub ({chosen})"
        return Fact(AREA, "path", str(folder), "warning", meaning)
    return Fact(AREA, "path", str(folder), "note", f"It is not there yet; the first download makes it ({chosen})")


def _content(size: FolderSize) -> Fact:
    numbers = {
        "bytes": size.bytes,
        "files": size.files,
        "repositories": size.repositories,
        "unreadable": size.unreadable,
    }
    models = "1 model" if size.repositories == 1 else f"{size.repositories} models"
    files = "1 file" if size.files == 1 else f"{size.files} files"
    value = f"{gib(size.bytes)} in {files}, {models}"
    if size.unreadable:
        meaning = f"Not all was counted: {size.unreadable} entries cannot be read, and what they hold cannot be used"
        return Fact(AREA, "content", value, "warning", meaning, numbers)
    meaning = "These open with --offline" if size.repositories else "Nothing can be opened with --offline yet"
    return Fact(AREA, "content", value, "ok", meaning, numbers)


def _space(existing: Path) -> Fact:
    free = shutil.disk_usage(existing).free
    numbers = {"free_bytes": free}
    if free < _SMALL:
        meaning = "bert-base takes 0.4 GiB: free some, or set HF_HOME to another disk"
        return Fact(AREA, "free space", gib(free), "warning", meaning, numbers)
    return Fact(
        AREA, "free space", gib(free), "ok", "Enough for models such as bert-base, which takes 0.4 GiB", numbers
    )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next((place for place in (folder, *folder.parents) if os.path.lexists(place)), Path(folder.anchor))


def _is_writable(folder: Path) -> bool:
    # The rights with which files would be written, where the system tells these from those of whoever logged in.
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
