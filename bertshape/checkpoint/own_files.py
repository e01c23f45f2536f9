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
    """Whether writing to a path replaces a file that a checkpoint consists of, through a link too."""
    if not is_replaced(path):
        return False
    return any(
        _OF_CHECKPOINT.fullmatch(name.name) and any((name.parent / mark).is_file() for mark in ANCHORS)
        for name in (path, Path(os.path.realpath(path)))
    )
