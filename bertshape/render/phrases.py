"""The sentences of a report that every format for people shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.report.finding import Finding
    from bertshape.report.report import CheckpointFacts, OutputFacts, Report
    from bertshape.tokens.batch import Row

SEVERITY_ORDER = ("note", "warning", "error")
_WEIGHTS = {
    "checkpoint": "trained weights from the checkpoint",
    "random": "random weights: shapes are exact, numbers mean nothing",
    "none": "nothing was run: all shapes are predicted",
}


def in_words(name: str) -> str:
    """A value of the report as people read it: `word start` for `word_start`."""
    return name.replace("_", " ")


def model_line(facts: CheckpointFacts) -> str:
    """The model in one line: `bert: 6 layers, hidden_size 384, ...`."""
    sizes = facts.dimensions
    parts = [f"{sizes['num_hidden_layers']} layers", f"hidden_size {sizes['hidden_size']}"]
    if sizes.get("num_attention_heads"):
        parts.append(f"{sizes['num_attention_heads']} heads")
    if sizes.get("vocab_size"):
        parts.append(f"vocab_size {sizes['vocab_size']}")
    if facts.parameters is not None:
        parts.append(f"{facts.parameters / 1e6:.1f} M parameters")
    return f"{visible(facts.model_type)}: {', '.join(parts)}"


def weights_line(report: Report) -> str:
    """Which weights ran, where, and what the pooler is worth."""
    facts, run = report.checkpoint, report.run
    where = f" on {run.device}, {run.dtype}" if run.executed else ""
    pooler = f"; pooler {facts.pooler}" if facts.pooler and facts.weights != "random" else ""
    return f"{_WEIGHTS[facts.weights]}{where}{pooler}"


def limits_line(facts: CheckpointFacts) -> str:
    """Every declared length limit, the effective one first."""
    effective = facts.length_limits["effective"]
    others = ", ".join(f"{where} {limit}" for where, limit in facts.length_limits.items() if where != "effective")
    most = f"at most {effective} tokens" if effective is not None else "no hard limit on tokens"
    return f"{most} ({others})" if others else most


def declared_line(facts: CheckpointFacts) -> str | None:
    """What the checkpoint itself declares as its sentence embedding."""
    declared = facts.sentence_embedding
    if declared is None:
        return None
    chain = " > ".join(visible(step["step"]) for step in declared["modules"])
    dimension = f", dimension {declared['dimension']}" if declared["dimension"] is not None else ""
    return f"declared: {declared['pooling'] or 'no pooling'}{dimension} ({chain})"


def count_line(row: Row) -> str:
    """The sum that answers "why 8?": `8 tokens = 6 content + 2 special`."""
    parts = [f"{row.content} content", f"{row.special} special"]
    if row.padding:
        parts.append(f"{row.padding} padding")
    line = f"{len(row.tokens)} tokens = {' + '.join(parts)}"
    return f"{line} ({row.truncated} more were cut away)" if row.truncated else line


def count_label(output: OutputFacts) -> str:
    """What the tensors of a tuple are: `13 tensors: embeddings, layer 1 ... layer 12`."""
    labels = output.labels
    named = f"{labels[0]}, {labels[1]} ... {labels[-1]}" if len(labels) > 3 else ", ".join(labels)
    return f"{output.count} tensors: {named}" if named else f"{output.count} tensors"


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the gravest last, where the eye ends."""
    return sorted(findings, key=lambda finding: SEVERITY_ORDER.index(finding.severity))
