"""What `embed` wrote."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from bertshape.report.to_dict import SCHEMA_VERSION
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.report.finding import Finding
    from bertshape.report.report import Weights
    from bertshape.shapes import TensorShape


@dataclass(frozen=True)
class EmbedReport:
    """What was written, or why nothing was.

    Attributes:
        name_or_path: The checkpoint.
        weights: Which weights ran.
        path: The file.
        written: Whether it was written; not where the model is unsound.
        device: Where the model ran.
        texts: How many texts it holds a vector of.
        cut: How many of them were cut.
        tokens: How many tokens they have.
        padding: How many positions were padding.
        batches: How many forward passes ran.
        seconds: What tokenization and these took; imports and loading are not counted.
        saved: Shape of each array, by its name.
        findings: What a person should know.
    """

    name_or_path: str
    weights: Weights
    path: str
    written: bool
    device: str | None = None
    texts: int = 0
    cut: int = 0
    tokens: int = 0
    padding: int = 0
    batches: int = 0
    seconds: float = 0.0
    saved: Mapping[str, TensorShape] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The JSON document."""
        saved = {
            name: {"axes": list(shape.axes), "shape": list(shape.sizes), "dtype": shape.dtype, "bytes": shape.bytes}
            for name, shape in self.saved.items()
        }
        facts = {name: value for name, value in vars(self).items() if name not in ("saved", "findings")}
        envelope = {"schema_version": SCHEMA_VERSION, "ok": self.written, "bertshape": __version__}
        facts |= {"seconds": round(self.seconds, 3), "saved": saved}
        return envelope | facts | {"findings": [asdict(finding) for finding in self.findings]}
