"""Labels that config.json counts against those that the stored head has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.predict.head_outputs import LABELLED, stored_labels, task_labels
from bertshape.predict.heads import load_head
from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture


def label_findings(checkpoint: Checkpoint, architecture: Architecture, classes: list[str]) -> Iterator[Finding]:
    """A classifier of another size than config.json says: transformers refuses it, or leaves it random.

    Args:
        checkpoint: The checkpoint.
        architecture: What its config.json describes.
        classes: Classes that config.json declares.
    """
    for task in LABELLED:
        head = load_head(architecture.model_type, task)
        if head is None or head.model_class not in classes:
            continue
        held, says = stored_labels(checkpoint, head), len(task_labels(task, checkpoint.config))
        if held not in (None, says):
            yield Finding(
                "labels-mismatch",
                "error",
                f"id2label: {checkpoint.config_path} says {says} labels, the stored head of {head.model_class} "
                f"has {held}",
                f"Give id2label in config.json {held} entries.",
                where="config.json id2label",
                expected=str(held),
                actual=str(says),
            )
