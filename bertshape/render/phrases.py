"""The sentences of a report that every format for people shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.predict.limits import limits_phrase
from bertshape.render.escape import visible
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.report.finding import Finding
    from bertshape.report.report import CheckpointFacts, OutputFacts, Report
    from bertshape.tokens.batch import Row

SEVERITY_ORDER = ("note", "warning", "error")
SAID_IN_HEAD = frozenset(["length-limits-disagree"])
"""Findings that `limits_line` says already."""
_WEIGHTS = {"checkpoint": "stored weights", "random": "random weights", "none": "nothing was run"}


def model_facts(facts: CheckpointFacts) -> list[str]:
    """The model in a few words each: `bert`, `6 layers`, `hidden_size 384`."""
    sizes = facts.dimensions
    layers = sizes["num_hidden_layers"]
    parts = [visible(facts.model_type), counted(layers, "layer")]
    parts.append(f"hidden_size {sizes['hidden_size']}")
    if facts.parameters is not None:
        parts.append(f"{_count(facts.parameters)} parameters")
    return [*parts, _WEIGHTS[facts.weights]]


def _count(parameters: int) -> str:
    """In millions, and a small model's in full: 0.0 M would say that there are none."""
    return f"{parameters / 1e6:.1f} M" if parameters >= 1e5 else f"{parameters:,}"


def in_words(name: str) -> str:
    """A value of the report as people read it: `word start` for `word_start`."""
    return name.replace("_", " ")


def model_line(facts: CheckpointFacts) -> str:
    """The model in one line, with what only fits a document: `bert: 6 layers, hidden_size 384, ...`."""
    sizes = facts.dimensions
    family, *parts = model_facts(facts)[:-1]
    if sizes["num_attention_heads"]:
        parts.append(counted(sizes["num_attention_heads"], "head"))
    if sizes["vocab_size"]:
        parts.append(f"vocab_size {sizes['vocab_size']}")
    return f"{family}: {', '.join(parts)}"


def weights_line(report: Report) -> str:
    """Which weights ran and where."""
    facts, run = report.checkpoint, report.run
    where = f" on {run.device}, {run.dtype}" if run.executed else ": all shapes are predicted"
    pooler = f"; pooler {facts.pooler}" if facts.pooler and facts.weights != "random" else ""
    return f"{_WEIGHTS[facts.weights]}{where}{pooler}"


def limits_line(facts: CheckpointFacts) -> str:
    """How many tokens run, then every declared limit that says otherwise."""
    return limits_phrase(facts.length_limits)


def declared_line(facts: CheckpointFacts) -> str | None:
    """What the checkpoint itself declares as its sentence embedding."""
    declared = facts.sentence_embedding
    if declared is None:
        return None
    chain = " > ".join(visible(step["step"]) for step in declared["modules"])
    dimension = f", dimension {declared['dimension']}" if declared["dimension"] is not None else ""
    return f"declared: {declared['pooling'] or 'no pooling'}{dimension} ({chain})"


def count_line(row: Row) -> str:
    """The sum that answers "why 8?": `8 = 6 content + 2 special`."""
    parts = [f"{row.content} content", f"{row.special} special"]
    if row.padding:
        parts.append(f"{row.padding} padding")
    line = f"{len(row.tokens)} = {' + '.join(parts)}"
    return f"{line} ({row.truncated} more cut away)" if row.truncated else line


def count_label(output: OutputFacts, dots: str = "...") -> str:
    """What the tensors of a tuple are: `13 tensors: embeddings, layer 1 ... layer 12`."""
    labels = output.labels
    named = f"{labels[0]}, {labels[1]} {dots} {labels[-1]}" if len(labels) > 3 else ", ".join(labels)
    return f"{output.count} tensors: {named}" if named else f"{output.count} tensors"


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the gravest last, where the eye ends."""
    return sorted(findings, key=lambda finding: SEVERITY_ORDER.index(finding.severity))
