"""The pipeline of `embed`: texts of a file -> the vector of each in a file, by any number of strategies at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import steps_without_weights
from bertshape.errors import UsageError
from bertshape.pipelines.batch import check_truncate_dim
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.lengths import Lengths, check_ids, check_length, settle_lengths
from bertshape.pipelines.model import open_model
from bertshape.pipelines.request import LengthOptions, ModelSource, RunOptions, SaveOptions
from bertshape.pipelines.running import check_packages, follow_chain, start
from bertshape.pooling.shapes import Unavailable, predict_shape, select
from bertshape.predict.outputs import pooling_facts
from bertshape.predict.sentence_chain import predict_embedding, token_shape
from bertshape.report.embed import EmbedReport
from bertshape.report.finding import Finding
from bertshape.run.observation import Saving, VectorJob
from bertshape.shapes import HIDDEN_SIZE, TensorShape
from bertshape.soundness.texts import random_weights
from bertshape.tokens.batch import padding_id
from bertshape.tokens.encode import encode_rows
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.model import Model
    from bertshape.pooling.strategy import Strategy
    from bertshape.run.observation import Vectors
    from bertshape.tokens.encode import EncodedRow

_TEXTS = "num_texts"


@dataclass(frozen=True)
class EmbedRequest:
    """What to embed, and how.

    Attributes:
        save: The file to write.
        source: Which model. It must be named, unless random weights are asked for by name.
        run: How to run it.
        lengths: Where texts are cut. With a declared chain, where `encode` cuts unless asked otherwise.
        pooling: Strategies; empty for what the checkpoint declares.
        truncate_dim: Cut the sentence embedding to so many numbers.
        batch_size: Texts that run together.
        allow_unsound: Write vectors of a model with errors among its findings too.
    """

    save: SaveOptions
    source: ModelSource = field(default_factory=ModelSource)
    run: RunOptions = field(default_factory=RunOptions)
    lengths: LengthOptions = field(default_factory=LengthOptions)
    pooling: tuple[str, ...] = ()
    truncate_dim: int | None = None
    batch_size: int = 32
    allow_unsound: bool = False

    def check(self) -> None:
        """Refuse what cannot be carried out with any checkpoint.

        Raises:
            UsageError: An option is not one, or contradicts another.
        """
        self.lengths.check()
        self.run.check()
        self.save.check()
        if self.source.name is None and self.run.weights != "random":
            hint = "Pass -m FOLDER or a Hub id; --weights random writes random vectors of the embedded default."
            raise UsageError(
                "embed needs a model: the embedded default has no weights", hint=hint, code="model-missing"
            )
        if self.pooling and self.truncate_dim is not None:
            raise UsageError(
                "--truncate-dim cuts the sentence embedding, which --pooling leaves out",
                hint="Leave one of the two out.",
                code="truncate-dim-pooling",
            )
        if self.batch_size < 1:
            raise UsageError(f"--batch-size is {self.batch_size}", hint="Pass 32 or so.", code="batch-size-invalid")


def embed(request: EmbedRequest, records: Iterable[Record], name: str, events: Events = SILENT) -> EmbedReport:
    """Run all texts of a file, and write one vector for each.

    Args:
        request: The checkpoint, strategies, limits and the file to write.
        records: The texts.
        name: Name of their file, for messages.
        events: Who watches.

    Returns:
        What was written. The arrays are `pooled.NAME`, and `sentence_embedding` where the checkpoint declares one;
        row i is the vector of text i. Nothing is written where the model is unsound: the findings say why.

    Raises:
        BertshapeError: A text cannot be used, a strategy does not give one vector per text, or the run fails.
    """
    request.check()
    check_packages("embed")
    model = open_model(request.source, request.run.weights)
    check_truncate_dim(request.truncate_dim, model)
    strategies = _strategies(request, model)
    findings = (*model.verdict.findings, *_chain_breaks(request, model))
    if model.weights == "random":
        findings = (random_weights(model.checkpoint.location.source), *findings)
    if _wrong(findings, strategies) and not request.allow_unsound:
        return _refused(request, model, findings)
    lengths = settle_lengths(request.lengths, model, as_encode=model.recipe.has_chain)
    begin = time.perf_counter()
    rows = _encode(model, records, name, lengths)
    if request.batch_size > 1 and len({len(row) for row in rows}) > 1:
        padding_id(model.tokenizer)  # Refuses where there is none.
    encoding = time.perf_counter() - begin
    chain = None if request.pooling else follow_chain(model, truncate_dim=request.truncate_dim)
    running = start(model, request.run, events, chain=chain)
    findings = (*findings, *running.verdict.findings)
    if _wrong(findings, strategies) and not request.allow_unsound:
        return _refused(request, model, findings)
    vectors = running.runner.embed(rows, _job(request, model, strategies, len(rows), events))
    report = _report(request, model, rows, replace(vectors, seconds=vectors.seconds + encoding))
    return replace(report, findings=findings)


def _wrong(findings: Iterable[Finding], strategies: tuple[Strategy, ...]) -> bool:
    """Whether vectors would be partly random: a file of numbers has no place to say so."""
    pooler = any("pooler" in strategy.name.split("+") for strategy in strategies)
    return any(row.severity == "error" or (pooler and row.code == "pooler-random") for row in findings)


def _refused(request: EmbedRequest, model: Model, findings: tuple[Finding, ...]) -> EmbedReport:
    return EmbedReport(model.checkpoint.name, model.weights, str(request.save.path), written=False, findings=findings)


def _strategies(request: EmbedRequest, model: Model) -> tuple[Strategy, ...]:
    """Strategies asked for, or the declared one; each must give one vector per text."""
    chosen = select(request.pooling or (model.recipe.pooling or "mean",))
    facts = pooling_facts(model.architecture, (1, 1, 1), "float32")
    if model.architecture.family is None:
        facts = replace(facts, has_pooler=True)  # Only a run shows it; what runs refuses it then.
    for strategy in chosen:
        shape = predict_shape(strategy, facts)
        if isinstance(shape, Unavailable) or len(shape.sizes) != 2:
            reason = shape.reason if isinstance(shape, Unavailable) else "it gives several vectors per text"
            message = f"--pooling {strategy.name}: {reason}"
            raise UsageError(message, hint="See bertshape poolings.", code="pooling-unavailable")
    return chosen


def _chain_breaks(request: EmbedRequest, model: Model) -> tuple[Finding, ...]:
    """Why the declared sentence embedding cannot be followed to its end."""
    recipe, hidden_size = model.recipe, model.architecture.dimensions.hidden_size
    if request.pooling or not recipe.has_chain:
        return ()
    lacking = steps_without_weights(model.checkpoint) if model.weights == "checkpoint" else ()
    hidden = token_shape(1, 1, hidden_size, "float32")
    for step in predict_embedding(recipe.steps, recipe.pooling, hidden, lacking=lacking):
        if step.shape is None:
            message = f"the sentence embedding of {model.checkpoint.name} ends at its step {step.name}: {step.reason}"
            return (Finding("chain-broken", "error", message, "Name strategies with --pooling to leave it out."),)
    return ()


def _encode(model: Model, records: Iterable[Record], name: str, lengths: Lengths) -> list[EncodedRow]:
    rows = list(encode_rows(model.tokenizer, records, name, cut_to=lengths.cut_to))
    if not rows:
        raise UsageError(f"{name} holds no text", hint="Write a text on each line.", code="text-missing")
    for row in rows:
        check_length(len(row), f"{name}, {row.unit} {row.line}", model)
    check_ids(max((max(row.input_ids, default=0) for row in rows), default=0), model)
    return rows


def _job(
    request: EmbedRequest, model: Model, strategies: tuple[Strategy, ...], texts: int, events: Events
) -> VectorJob:
    about = {"checkpoint": model.checkpoint.name, "weights": model.weights, "texts": str(texts)}
    if request.allow_unsound and model.verdict.errors:
        about["unsound"] = "; ".join(finding.code for finding in model.verdict.errors)
    return VectorJob(
        strategies=strategies,
        batch_size=request.batch_size,
        pad_id=model.tokenizer.pad_id or 0,
        padding_side=model.tokenizer.padding_side,
        inputs=model.tokenizer.inputs,
        saving=Saving(request.save.path, (), False, about | {"bertshape": __version__}),
        progress=events.advanced,
    )


def _report(request: EmbedRequest, model: Model, rows: list[EncodedRow], vectors: Vectors) -> EmbedReport:
    tokens = sum(map(len, rows))
    hidden_size = model.architecture.dimensions.hidden_size
    saved = {}
    for name, seen in vectors.saved.items():
        factor = seen.sizes[1] // hidden_size if seen.sizes[1] % hidden_size == 0 else 0
        axis = {0: "embedding_dimension", 1: HIDDEN_SIZE}.get(factor, f"{factor}*{HIDDEN_SIZE}")
        saved[name] = TensorShape((_TEXTS, axis), seen.sizes, seen.dtype)
    return EmbedReport(
        model=model.checkpoint.name,
        weights=model.weights,
        path=str(request.save.path),
        written=True,
        device=vectors.device,
        texts=len(rows),
        cut=sum(row.cut for row in rows),
        tokens=tokens,
        padding=vectors.positions - tokens,
        batches=vectors.batches,
        seconds=vectors.seconds,
        saved=saved,
    )
