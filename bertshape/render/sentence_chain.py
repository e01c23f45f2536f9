"""The chain to the sentence embedding: each step with the shape of what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.inspect import evidence_text, sizes_text
from bertshape.render.tables import LABEL, UNICODE, Signs, flow, labelled

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.report import Report, StepFacts

_PLAIN = ("Transformer", "Normalize", "Dropout")
"""Steps whose names say what they do."""


def chain_line(report: Report, columns: int, signs: Signs = UNICODE) -> RenderableType:
    """The steps as sentence-transformers takes them, in a line that is broken between steps alone."""
    steps = [_step(step, ran=report.run.executed) for step in report.embedding]
    arrow = f"{signs.arrow} "
    return labelled(
        "encode()", Text("\n").join(flow(steps, columns - LABEL - 1, f" {arrow}", lead=arrow)), style="bold"
    )


def _step(step: StepFacts, *, ran: bool) -> Text:
    name = visible(step.name)
    if step.shape is None:
        return Text.assemble(name, (f" not available: {visible(step.reason or '')}", "yellow"))
    about = "" if name in _PLAIN else f" {visible(step.formula)}"
    text = Text.assemble(f"{name}{about} ", sizes_text(step.shape))
    return text.append(" ").append_text(evidence_text(step.evidence)) if ran and step.evidence == "predicted" else text
