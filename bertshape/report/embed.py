"""What `embed` wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bertshape.report.envelope import envelope, failure_entry
from bertshape.report.inspect_document import finding_entries, tensor_entry
from bertshape.report.shown import Shown
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.errors import BertshapeError
    from bertshape.report import documents
    from bertshape.report.finding import Finding
    from bertshape.report.report import Weights
    from bertshape.shapes import TensorShape


@dataclass(frozen=True)
class Verified:
    """How the vectors of some texts compare with those of sentence-transformers.

    Attributes:
        texts: How many texts.
        difference: The largest difference between two numbers; None where they cannot be compared.
        passed: Whether it is small enough.
    """

    texts: int
    difference: float | None
    passed: bool


@dataclass(frozen=True, repr=False)
class EmbedReport(Shown):
    """What was written, or why nothing was.

    Attributes:
        model: The checkpoint.
        weights: Which weights ran.
        path: The file.
        written: Whether it was written; not where the model is unsound.
        device: Where the model ran.
        texts: How many texts it holds a vector of.
        skipped: How many lines have none, because they hold no text or one that cannot be run.
        failures: Why, for the first hundred of them.
        cut: How many of them were cut.
        tokens: How many tokens they have.
        padding: How many positions were padding.
        batches: How many forward passes ran.
        seconds: What tokenization and these took; imports and loading are not counted.
        saved: Shape of each array, by its name.
        findings: What a person should know.
        verified: How some of the vectors compare with those of sentence-transformers, where that was asked for.
    """

    model: str
    weights: Weights
    path: str
    written: bool
    device: str | None = None
    texts: int = 0
    skipped: int = 0
    failures: tuple[BertshapeError, ...] = ()
    cut: int = 0
    tokens: int = 0
    padding: int = 0
    batches: int = 0
    seconds: float = 0.0
    saved: Mapping[str, TensorShape] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    verified: Verified | None = None

    @property
    def ok(self) -> bool:
        """Whether all vectors were written, and are what they should be as far as that was compared."""
        return self.written and not self.skipped and (self.verified is None or self.verified.passed)

    def brief(self) -> str:
        """The result in one line."""
        state = "written" if self.written else "not written"
        return f"{self.model!r}: {counted(self.texts, 'text')}, {self.path!r} {state}"

    def to_dict(self) -> documents.EmbedDocument:
        """The JSON document, as plain dicts and lists."""
        return {
            **envelope(ok=self.ok),
            "model": self.model,
            "weights": "random" if self.weights == "random" else "checkpoint",
            "path": self.path,
            "written": self.written,
            "device": self.device,
            "texts": self.texts,
            "skipped": self.skipped,
            "failures": [failure_entry(error) for error in self.failures],
            "cut": self.cut,
            "tokens": self.tokens,
            "padding": self.padding,
            "batches": self.batches,
            "seconds": round(self.seconds, 3),
            "saved": {name: tensor_entry(shape) for name, shape in self.saved.items()},
            "verified": None if self.verified is None else _verified(self.verified),
            "findings": finding_entries(self.findings),
        }


def _verified(verified: Verified) -> documents.VerifiedVectors:
    return {"texts": verified.texts, "difference": verified.difference, "passed": verified.passed}
