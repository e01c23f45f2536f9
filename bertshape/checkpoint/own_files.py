"""Which files belong to a checkpoint: nothing that is written may replace them unasked."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bertshape.checkpoint.small_files import ANCHORS
from bertshape.files import is_replaced

_OF_CHECKPOINT = re.compile(
    r"(config\w*|\w+_config|tokenizer|modules|special_tokens_map|added_tokens|vocab|merges)\.json|(vocab|merges)\.txt"
    r"|(model|pytorch_model)[-\w]*\.(safetensors|bin)(\.index\.json)?|.+\.model"
)
"""Names that transformers and sentence-transformers give to the files that they read."""


def is_of_checkpoint(path: Path) -> bool:
    """Whether writing to a path replaces a file of a checkpoint, through a link too, or puts one there."""
    if os.path.exists(path) and not is_replaced(path):
        return False  # A pipe or a device: nothing of it is a file.
    return any(
        _OF_CHECKPOINT.fullmatch(name.name) and any((name.parent / mark).is_file() for mark in ANCHORS)
        for name in (path, Path(os.path.realpath(path)))
    )
