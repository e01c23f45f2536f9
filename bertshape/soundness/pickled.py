"""Pickles that hold their tensors where no loader looks for them: inside of a dict, as training scripts save them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.report.finding import Finding
from bertshape.soundness.rewriting import rewriting_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint


def nested_findings(checkpoint: Checkpoint) -> Iterator[Finding]:
    """The other rules look at the tensors as they would be at the top."""
    headers = checkpoint.headers
    if headers is None or headers.inside is None:
        return
    yield Finding(
        "tensors-nested",
        "error",
        f"{headers.files[0]} holds its tensors inside of {headers.inside!r}, as a training script saves them; "
        "transformers looks for them at the top, and would fill the model with random numbers",
        f"Write them out: {rewriting_command(checkpoint)}",
        where=headers.files[0],
        expected="tensors",
        actual=f"a dict with {headers.inside!r}",
    )
