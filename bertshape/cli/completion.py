"""What a shell may complete after an option: names that are known without reading a checkpoint."""

from __future__ import annotations

import os
from pathlib import Path

from bertshape.checkpoint.locate import EMBEDDED_PREFIX, embedded_names
from bertshape.pooling.strategies import STRATEGIES
from bertshape.predict.heads import TASKS

# os.path, unlike pathlib, says no where it may not look.
_CHECKPOINT_FILES = ("config.json", "modules.json")


def complete_pooling(incomplete: str) -> list[str]:
    """Pooling strategies; after a plus, the one that is being written."""
    before, plus, last = incomplete.rpartition("+")
    return [f"{before}{plus}{name}" for name in STRATEGIES if name.startswith(last)]


def complete_task(incomplete: str) -> list[str]:
    """Task heads, and `all`."""
    return [name for name in (*TASKS, "all") if name.startswith(incomplete)]


def complete_device(incomplete: str) -> list[str]:
    """Names of devices; which of them are there only torch knows."""
    return [name for name in ("auto", "cpu", "cuda", "cuda:0", "mps") if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Embedded checkpoints, and folders here: those that hold a checkpoint, and those that lead on."""
    names = [f"{EMBEDDED_PREFIX}{name}" for name in embedded_names()]
    return [name for name in names if name.startswith(incomplete)] + _folders(incomplete)


def _folders(incomplete: str) -> list[str]:
    before, slash, last = incomplete.rpartition("/")
    folder = Path(os.path.expanduser(before + slash)) if slash else Path()
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir() and path.name.startswith(last))
    except OSError:
        return []
    checkpoints = [path for path in found if any(os.path.exists(path / name) for name in _CHECKPOINT_FILES)]
    hidden = not last.startswith(".")
    chosen = checkpoints or [path for path in found if not (hidden and path.name.startswith("."))]
    return [f"{before}{slash}{path.name}{'' if path in checkpoints else '/'}" for path in chosen]
