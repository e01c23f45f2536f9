"""`bertshape memory` from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.pipelines.memory import memory
from bertshape.pipelines.memory_request import BATCH_SIZE, MemoryRequest, parse_bytes
from bertshape.pipelines.model_source import ModelSource

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.report.memory import MemoryReport


def memory_of(
    model: str | Path,
    *,
    batch_size: int = BATCH_SIZE,
    length: int | None = None,
    fit: int | str | None = None,
    revision: str | None = None,
    offline: bool = False,
) -> MemoryReport:
    """Say how much memory a model takes in inference and in training, without running it; as `bertshape memory` does.

    Args:
        model: Folder, Hub id or `embedded:` name.
        batch_size: Texts of a batch.
        length: Tokens of each text; None for 512, or for what the model takes.
        fit: Memory that a batch is to fit into, in bytes or such as `24GB`.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.

    Returns:
        The bytes of weights, gradients, optimizer states and activations, and what fits.

    Raises:
        BertshapeError: The checkpoint cannot be read, or the batch is none that it takes.
    """
    room = parse_bytes(fit, "fit") if isinstance(fit, str) else fit
    return memory(MemoryRequest(ModelSource(str(model), revision, offline), batch_size, length, room))
