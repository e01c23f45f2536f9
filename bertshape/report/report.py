"""What one inspection knows, part by part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from bertshape.pooling.reads import Positions
from bertshape.pooling.shapes import select
from bertshape.report.inspect_document import inspect_document
from bertshape.report.shown import Shown
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.locate import Source
    from bertshape.pooling.reads import TokenWeights
    from bertshape.pooling.strategy import CountName
    from bertshape.report import documents, documents_checkpoint
    from bertshape.report.finding import Finding
    from bertshape.report.layer import Layer
    from bertshape.report.statistics import Statistics
    from bertshape.shapes import TensorShape
    from bertshape.tokens.batch import Tokenization

Evidence = Literal["predicted", "observed", "same_shape_observed", "from_headers"]
"""The last: a batch of the same shape ran, and not this one."""
Weights = Literal["checkpoint", "random", "none"]
PoolerVerdict = Literal["trained", "random", "absent"]
HeadVerdict = Literal["stored", "random", "partly_random"]


@dataclass(frozen=True)
class CheckpointFacts:
    """The checkpoint as the report shows it; field names are those of the JSON document."""

    model: str
    source: Source
    revision: str | None
    model_type: str
    architecture: str | None
    weights: Weights
    dtype: str
    parameters: int | None
    dimensions: documents_checkpoint.Dimensions
    length_limits: Mapping[str, int | None]
    sentence_embedding: documents_checkpoint.SentenceEmbedding | None
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
        each: Sizes of each of them, where they differ among each other; `shape` is that of the first one then.
        statistics: What its numbers are like, where a run was asked for that.
        dtypes: Dtype of each of them, where they differ; that of the first one is `shape`'s.
        statistics_of_each: The same of each tensor of a tuple.
    """

    shape: TensorShape
    evidence: Evidence = "predicted"
    count: int | None = None
    labels: tuple[str, ...] = ()
    each: tuple[tuple[int, ...], ...] = ()
    statistics: Statistics | None = None
    dtypes: tuple[str, ...] = ()
    statistics_of_each: tuple[Statistics, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes of all its tensors."""
        return sum(shape.bytes for shape in self.shapes)

    @property
    def runs(self) -> tuple[tuple[str, TensorShape], ...]:
        """Neighbours of one shape and dtype, where these differ: `0`, `1-5`, and what each of them has."""
        found, first = [], 0
        for shape, neighbours in groupby(self.shapes if self.each or self.dtypes else ()):
            last = first + len(list(neighbours)) - 1
            found.append((str(first) if first == last else f"{first}-{last}", shape))
            first = last + 1
        return tuple(found)

    @property
    def shapes(self) -> tuple[TensorShape, ...]:
        """Each of its tensors."""
        count = self.count or 1
        pairs = zip(self.each or (self.shape.sizes,) * count, self.dtypes or (self.shape.dtype,) * count, strict=True)
        return tuple(_like(self.shape, sizes, dtype) for sizes, dtype in pairs)


def _like(shape: TensorShape, sizes: tuple[int, ...], dtype: str) -> TensorShape:
    """A tensor of the same kind in other sizes; axes of another number have no names."""
    axes = shape.axes if len(shape.axes) == len(sizes) else tuple(f"axis_{index}" for index in range(len(sizes)))
    return replace(shape, axes=axes, sizes=sizes, dtype=dtype)


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
        counts: The counts that `over` names, each as a number for each text.
        statistics: What its numbers are like, where a run was asked for that.
    """

    formula: str
    over: str
    shape: TensorShape | None
    reason: str | None = None
    evidence: Evidence = "predicted"
    declared: bool = False
    counts: Mapping[CountName, tuple[int, ...]] = field(default_factory=dict)
    statistics: Statistics | None = None


@dataclass(frozen=True)
class StepFacts:
    """One step from tokens to the sentence embedding, as sentence-transformers takes it.

    Attributes:
        name: Class of the step, such as `Dense`.
        formula: What it does, in one line.
        shape: Shape of what it gives; None where that cannot be followed.
        reason: Why it cannot.
        evidence: `observed` once a real run gave it.
    """

    name: str
    formula: str
    shape: TensorShape | None
    reason: str | None = None
    evidence: Evidence = "predicted"


@dataclass(frozen=True)
class TaskFacts:
    """A task head on the model.

    Attributes:
        model_class: Class of transformers that has this head; None where the family has none.
        head: Whether the checkpoint holds the head's tensors; None where nothing is stored, or it takes a load to know.
        labels: Names of the labels, where the outputs have some.
        outputs: What the head gives, by name.
        reason: Why there is no output.
    """

    model_class: str | None
    head: HeadVerdict | None
    labels: tuple[str, ...]
    outputs: Mapping[str, OutputFacts]
    reason: str | None = None


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """All that one inspection knows.

    Attributes:
        checkpoint: The checkpoint.
        run: Whether and where it ran.
        tokenization: The batch.
        inputs: Tensors that the model is given.
        outputs: Tensors that it gives.
        pooled: Vectors of the pooling strategies.
        embedding: The chain of a sentence-transformers checkpoint, step by step; empty for others.
        tasks: Task heads that were asked for.
        layers: The shapes inside, where they were asked for.
        words: Whether words were asked for.
        findings: What a person should know.
    """

    checkpoint: CheckpointFacts
    run: Run
    tokenization: Tokenization
    inputs: Mapping[str, TensorShape]
    outputs: Mapping[str, OutputFacts]
    pooled: Mapping[str, PooledFacts]
    embedding: tuple[StepFacts, ...] = ()
    tasks: Mapping[str, TaskFacts] = field(default_factory=dict)
    layers: Layer | None = None
    words: bool = False
    findings: tuple[Finding, ...] = field(default=())

    @property
    def failed(self) -> bool:
        """Whether there is an error among the findings."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def has_token_types(self) -> bool:
        """Whether the model is given token_type_ids."""
        return "token_type_ids" in self.inputs

    def reads(self, text: int = 0) -> dict[str, TokenWeights]:
        """Which tokens each available strategy reads, with their relative weights.

        Args:
            text: Index of the text in the batch.
        """
        row = self.tokenization.rows[text]
        positions = Positions(
            tuple(token.attention_mask for token in row.tokens),
            tuple(int(token.special) for token in row.tokens),
            tuple(row.word_indices()),
        )
        available = [name for name, pooled in self.pooled.items() if pooled.shape is not None]
        return {strategy.name: strategy.reads(positions) for strategy in (select(available) if available else ())}

    def with_findings(self, *findings: Finding) -> Report:
        """The same report with more findings."""
        return replace(self, findings=self.findings + findings)

    def brief(self) -> str:
        """The result in one line."""
        batch = self.tokenization
        shape = f"[{batch.batch_size}, {batch.sequence_length}]"
        how = f"observed on {self.run.device}" if self.run.executed else "predicted"
        errors = sum(finding.severity == "error" for finding in self.findings)
        return f"{self.checkpoint.model!r}: {shape} tokens, {how}, {counted(errors, 'error')}"

    def to_dict(self) -> documents.InspectDocument:
        """The JSON document, as plain dicts and lists."""
        return inspect_document(self)
