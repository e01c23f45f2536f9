"""What `which` is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.request import RunOptions

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 1e-4
"""Largest difference of a number that passes; batches of other sizes move float32 numbers by some 1e-6."""
SAMPLE = 256
"""Texts that are compared at most."""
LEAST = 2
"""Different texts that it takes at least."""


@dataclass(frozen=True)
class WhichRequest:
    """What to find out.

    Attributes:
        vectors: The file of vectors.
        source: The model that is thought to have made them.
        run: How to run it.
        vector_column: Array, column or key of the vectors.
        prompts: Prompts to try besides those of the checkpoint.
        tolerance: Largest difference of a number that passes.
        sample: Texts that are compared at most.
        declared: Whether another recipe than the declared one is a failure.
    """

    vectors: Path
    source: ModelSource = field(default_factory=ModelSource)
    run: RunOptions = field(default_factory=RunOptions)
    vector_column: str | None = None
    prompts: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    sample: int = SAMPLE
    declared: bool = False

    def check(self) -> None:
        """Refuse what cannot be carried out with any checkpoint.

        Raises:
            UsageError: An option is not one.
        """
        self.run.check()
        if self.source.name is None and self.run.weights != "random":
            hint = "Pass -m FOLDER or a Hub id: the model that is thought to have made the vectors."
            raise UsageError("which needs a model", hint=hint, code="model-missing")
        if not 0 < self.tolerance < 1:
            hint = "Pass a number between 0 and 1, such as 0.0001."
            raise UsageError(f"--tolerance is {self.tolerance:g}", hint=hint, code="tolerance-invalid")
        if self.sample < LEAST:
            raise UsageError(f"--sample is {self.sample}", hint="Pass 256 or so.", code="sample-invalid")
