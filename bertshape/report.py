"""The report: plain Python, frozen, and its JSON document. It knows nothing of tensors or of how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from bertshape import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.errors import BertshapeError
    from bertshape.shapes import TensorShape
    from bertshape.tokenization import Row, Tokenization

SCHEMA_VERSION = "1"
"""Grows when a field is removed or changes its meaning; new fields do not change it."""

Evidence = Literal["predicted", "observed"]
Severity = Literal["error", "warning", "note"]
Weights = Literal["checkpoint", "random", "none"]
PoolerVerdict = Literal["trained", "random", "absent"]


@dataclass(frozen=True)
class Finding:
    """Something a person should know.

    Attributes:
        code: Kebab-case name, stable across releases.
        severity: `error` makes the command exit with 1.
        message: One line: what, where, expected and actual.
        hint: What to do next, or empty.
        where: File or field to blame, such as `config.json num_hidden_layers`.
        expected: What should be there, where one value says it.
        actual: What is there.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    where: str | None = None
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True)
class CheckpointFacts:
    """The checkpoint as the report shows it; field names are those of the JSON document."""

    name_or_path: str
    source: str
    revision: str | None
    model_type: str
    architecture: str | None
    weights: Weights
    dtype: str
    parameters: int | None
    dimensions: Mapping[str, int | None]
    length_limits: Mapping[str, int | None]
    sentence_embedding: Mapping[str, object] | None
    pooler: PoolerVerdict | None


@dataclass(frozen=True)
class Run:
    """Whether and where the model was run."""

    executed: bool
    device: str | None = None
    dtype: str | None = None
    torch: str | None = None
    transformers: str | None = None


@dataclass(frozen=True)
class OutputFacts:
    """One output of the model.

    Attributes:
        shape: Shape of the tensor, or of each one where there are several.
        evidence: `observed` once a real run gave it.
        count: Number of tensors, where the output is a tuple of them.
        labels: What each of them is, in order.
    """

    shape: TensorShape
    evidence: Evidence = "predicted"
    count: int | None = None
    labels: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes of all its tensors."""
        return self.shape.bytes * (self.count or 1)


@dataclass(frozen=True)
class PooledFacts:
    """The vector of one pooling strategy.

    Attributes:
        formula: How it is computed, in one line.
        over: What it averages over.
        shape: Shape of the result; None where the strategy is not available.
        reason: Why it is not available.
        evidence: `observed` once a real run gave it.
        declared: Whether the checkpoint itself declares this strategy.
    """

    formula: str
    over: str
    shape: TensorShape | None
    reason: str | None = None
    evidence: Evidence = "predicted"
    declared: bool = False


@dataclass(frozen=True)
class Report:
    """All that one inspection knows."""

    checkpoint: CheckpointFacts
    run: Run
    tokenization: Tokenization
    inputs: Mapping[str, TensorShape]
    outputs: Mapping[str, OutputFacts]
    pooled: Mapping[str, PooledFacts]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def failed(self) -> bool:
        """Whether there is an error among the findings."""
        return any(finding.severity == "error" for finding in self.findings)

    def with_findings(self, *findings: Finding) -> Report:
        """The same report with more findings."""
        return replace(self, findings=self.findings + findings)

    def to_dict(self) -> dict[str, object]:
        """The JSON document, as plain dicts and lists."""
        return {
            "schema_version": SCHEMA_VERSION,
            "ok": True,
            "bertshape": __version__,
            "checkpoint": asdict(self.checkpoint),
            "run": asdict(self.run),
            "sequences": [sequence_to_dict(row, self.has_token_types) for row in self.tokenization.rows],
            **self.shapes_to_dict(),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def shapes_to_dict(self) -> dict[str, object]:
        """What all texts of the batch share: inputs, outputs and pooled vectors."""
        return {
            "inputs": self._inputs(),
            "outputs": {name: output_to_dict(output) for name, output in self.outputs.items()},
            "pooled": {name: pooled_to_dict(pooled) for name, pooled in self.pooled.items()},
        }

    @property
    def has_token_types(self) -> bool:
        """Whether the model is given token_type_ids."""
        return "token_type_ids" in self.inputs

    def _inputs(self) -> dict[str, object]:
        batch = self.tokenization
        return {
            "batch_size": batch.batch_size,
            "sequence_length": batch.sequence_length,
            "padding": batch.padding,
            "padding_side": batch.padding_side,
            "truncation": batch.truncation,
            "max_length": batch.max_length,
            "tensors": {name: shape_to_dict(shape) for name, shape in self.inputs.items()},
        }


def shape_to_dict(shape: TensorShape) -> dict[str, object]:
    """A shape as JSON holds it."""
    return {"axes": list(shape.axes), "shape": list(shape.sizes), "dtype": shape.dtype}


def sequence_to_dict(row: Row, has_token_types: bool) -> dict[str, object]:
    """One text with its tokens; token_type_id is null where the model takes none."""
    tokens = []
    for token in row.tokens:
        # Not asdict, which copies each value: for many texts it takes longer than all the rest.
        entry = dict(vars(token))
        entry["offset"] = None if token.offset is None else list(token.offset)
        entry["token_type_id"] = token.token_type_id if has_token_types else None
        tokens.append(entry)
    counts = {name: getattr(row, name) for name in ("content", "special", "padding", "unknown", "truncated")}
    return {"text": row.text, "pair": row.pair, **counts, "tokens": tokens}


def output_to_dict(output: OutputFacts) -> dict[str, object]:
    """One output; `count` and `labels` are there for tuples of tensors alone, `bytes` counts all of them."""
    entry = shape_to_dict(output.shape) | {"bytes": output.bytes, "evidence": output.evidence}
    if output.count is not None:
        entry |= {"count": output.count, "labels": list(output.labels)}
    return entry


def pooled_to_dict(pooled: PooledFacts) -> dict[str, object]:
    """One pooled vector, or the reason why there is none."""
    about = {"formula": pooled.formula, "over": pooled.over, "declared": pooled.declared}
    if pooled.shape is None:
        return {"available": False, "reason": pooled.reason, **about}
    shape = shape_to_dict(pooled.shape)
    return {"available": True, **shape, "bytes": pooled.shape.bytes, "evidence": pooled.evidence, **about}


def error_to_dict(error: BertshapeError) -> dict[str, object]:
    """The error document: the same envelope, with the error in place of the report."""
    details = {"code": error.code, "message": error.message, "hint": error.hint}
    return {"schema_version": SCHEMA_VERSION, "ok": False, "bertshape": __version__, "error": details}
