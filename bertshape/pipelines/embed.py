"""The pipeline of `embed`: texts of a file -> the vector of each in a file, by any number of strategies at once."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from bertshape import __version__
from bertshape.checkpoint.checkpoint import fetch_weights, steps_without_weights
from bertshape.errors import CheckpointError, UsageError
from bertshape.pipelines.model import choose_weights, open_model, settle_length
from bertshape.pipelines.verdict import judge_loading, judge_model
from bertshape.pooling.shapes import PoolingFacts, Unavailable, predict_shape, select
from bertshape.predict.limits import resolve_dtype
from bertshape.predict.sentence_chain import predict_embedding, token_shape
from bertshape.report.to_dict import SCHEMA_VERSION
from bertshape.shapes import HIDDEN_SIZE, TensorShape
from bertshape.tokens.encode import encode_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bertshape.corpus.records import Record
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.pipelines.verdict import Verdict
    from bertshape.pooling.strategy import Strategy
    from bertshape.report.finding import Finding
    from bertshape.report.report import Weights
    from bertshape.run.embed import Vectors
    from bertshape.run.observation import ForwardRequest
    from bertshape.run.sentence_chain import Chain
    from bertshape.tokens.encode import EncodedRow

_TEXTS = "num_texts"


@dataclass(frozen=True)
class VectorsReport:
    """What was written.

    Attributes:
        name_or_path: The checkpoint.
        weights: Which weights ran.
        device: Where.
        path: The file.
        texts: How many texts it holds a vector of.
        tokens: How many tokens they have.
        padding: How many positions were padding.
        batches: How many forward passes ran.
        seconds: What tokenization and these took; imports and loading are not counted.
        saved: Shape of each array, by its name.
        findings: What a person should know. None is an error: what makes vectors wrong is refused.
    """

    name_or_path: str
    weights: Weights
    device: str
    path: str
    texts: int
    tokens: int
    padding: int
    batches: int
    seconds: float
    saved: Mapping[str, TensorShape]
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The JSON document."""
        saved = {
            name: {"axes": list(shape.axes), "shape": list(shape.sizes), "dtype": shape.dtype, "bytes": shape.bytes}
            for name, shape in self.saved.items()
        }
        facts = {name: value for name, value in vars(self).items() if name not in ("saved", "findings")}
        envelope = {"schema_version": SCHEMA_VERSION, "ok": True, "bertshape": __version__}
        facts |= {"seconds": round(self.seconds, 3), "saved": saved}
        return envelope | facts | {"findings": [asdict(finding) for finding in self.findings]}


def embed(
    request: InspectionRequest,
    records: Iterable[Record],
    name: str,
    *,
    batch_size: int = 32,
    progress: Callable[[int], None] = lambda _: None,
) -> VectorsReport:
    """Run all texts of a file, and write a vector for each.

    Args:
        request: The checkpoint, strategies, limits and the file to write; its texts are not looked at.
        records: The texts.
        name: Name of their file, for messages.
        batch_size: Texts that run together.
        progress: Called with the number of texts of each batch that is done.

    Returns:
        What was written. The arrays are `pooled.NAME`, and `sentence_embedding` where the checkpoint declares one;
        row i is the vector of text i.

    Raises:
        BertshapeError: A text cannot be used, a strategy gives no vector a text, or the run fails.
    """
    from bertshape.run.embed import VectorJob
    from bertshape.run.observation import Saving
    from bertshape.run.runner import Runner

    if request.save is None:
        raise UsageError("there is no file to write", hint="Pass --output FILE.safetensors.", code="save-path")
    request.check_options()
    model = open_model(request.model, revision=request.revision, offline=request.offline)
    weights = choose_weights(request, model.checkpoint)
    strategies = _strategies(request, model)
    verdict = judge_model(model, weights)
    _refuse_wrong(verdict, strategies)
    chain = None if request.pool else _chain(request, model, weights)
    begin = time.perf_counter()
    rows = _encode(request, model, records, name)
    encoding = time.perf_counter() - begin
    if weights == "checkpoint":
        fetch_weights(model.checkpoint, progress=request.progress)
    about = {"checkpoint": model.checkpoint.name, "weights": weights, "texts": str(len(rows)), "bertshape": __version__}
    job = VectorJob(
        strategies=strategies,
        chain=chain,
        batch_size=batch_size,
        pad_id=model.tokenizer.pad_id or 0,
        padding_side=model.tokenizer.padding_side,
        saving=Saving(request.save, (), False, about),
        progress=progress,
    )
    runner = Runner(_forward_request(request, model, weights))
    if weights == "checkpoint":
        loaded = judge_loading(model, runner.loading, failed=False)
        _refuse_wrong(loaded, strategies)
        verdict = replace(verdict, findings=verdict.findings + loaded.findings)
    vectors = runner.embed(rows, job)
    vectors = replace(vectors, seconds=vectors.seconds + encoding)
    return _report(request, model, weights, rows, vectors, verdict.findings)


def _refuse_wrong(verdict: Verdict, strategies: tuple[Strategy, ...]) -> None:
    """Write no vector that would be partly random: a file of numbers has no place to say so."""
    random_pooler = [finding for finding in verdict.findings if finding.code == "pooler-random"]
    wanted = any("pooler" in strategy.name.split("+") for strategy in strategies)
    for finding in (*verdict.errors, *(random_pooler if wanted else ())):
        hint = f"{finding.hint} bertshape check tells all of it."
        raise CheckpointError(f"the vectors would be wrong: {finding.message}", hint=hint, code=finding.code)


def _strategies(request: InspectionRequest, model: Model) -> tuple[Strategy, ...]:
    """Strategies asked for, or the declared one; each must give one vector a text."""
    chosen = select(request.pool or (model.declared_pooling or "mean",))
    architecture = model.architecture
    facts = PoolingFacts(
        batch_size=1,
        sequence_length=1,
        num_words=1,
        hidden_size=architecture.dimensions.hidden_size,
        num_hidden_layers=architecture.dimensions.num_hidden_layers,
        has_pooler=architecture.has_pooler or architecture.family is None,
        dtype="float32",
        has_last_hidden_state=architecture.has_last_hidden_state,
        even_hidden_states="hidden_states" not in architecture.observed_only,
    )
    for strategy in chosen:
        shape = predict_shape(strategy, facts)
        if isinstance(shape, Unavailable) or len(shape.sizes) != 2:
            reason = shape.reason if isinstance(shape, Unavailable) else "it gives several vectors a text"
            message = f"--pool {strategy.name}: {reason}"
            raise UsageError(message, hint="See bertshape poolings.", code="pooling-unavailable")
    return chosen


def _chain(request: InspectionRequest, model: Model, weights: Weights) -> Chain | None:
    """The declared sentence embedding; refused where it cannot be followed to its end."""
    from bertshape.run.sentence_chain import Chain

    checkpoint, hidden_size = model.checkpoint, model.architecture.dimensions.hidden_size
    sentence = checkpoint.sentence_embedding
    if sentence is None:
        return None
    lacking = steps_without_weights(checkpoint) if weights == "checkpoint" else ()
    hidden = token_shape(1, 1, hidden_size, "float32")
    for step in predict_embedding(sentence.modules, sentence.pooling, hidden, lacking=lacking):
        if step.shape is None:
            raise CheckpointError(
                f"the sentence embedding of {checkpoint.name} ends at its step {step.name}: {step.reason}",
                hint="Name strategies with --pool to leave it out.",
                code="chain-broken",
            )
    folder = checkpoint.location.folder if weights == "checkpoint" else None
    return Chain(sentence.modules, folder, sentence.pooling, request.truncate_dim)


def _encode(request: InspectionRequest, model: Model, records: Iterable[Record], name: str) -> list[EncodedRow]:
    truncation, cut_to = settle_length(request, model)
    usable = model.architecture.usable_length
    rows = list(encode_rows(model.tokenizer, records, name, cut_to=cut_to if truncation else None, usable=usable))
    if not rows:
        raise UsageError(f"{name} holds no text", hint="Write a text on each line.", code="text-missing")
    largest = max((max(row.input_ids, default=0) for row in rows), default=0)
    vocabulary = model.architecture.dimensions.vocab_size
    if vocabulary is not None and largest >= vocabulary:
        raise CheckpointError(
            f"the tokenizer gives id {largest}, and {model.checkpoint.config_path} says vocab_size {vocabulary}",
            hint="Use the tokenizer that belongs to these weights.",
            code="token-id-out-of-range",
        )
    return rows


def _forward_request(request: InspectionRequest, model: Model, weights: Weights) -> ForwardRequest:
    from bertshape.run.observation import ForwardRequest

    checkpoint = model.checkpoint
    stored = weights == "checkpoint"
    return ForwardRequest(
        folder=checkpoint.folder if stored else None,
        config=checkpoint.config,
        architecture=model.architecture,
        device=request.device,
        dtype=resolve_dtype(checkpoint, request.dtype, stored=stored),
        safetensors=checkpoint.headers is not None,
        attentions=False,
        half_on_gpu=request.dtype == "auto",
    )


def _report(
    request: InspectionRequest,
    model: Model,
    weights: Weights,
    rows: list[EncodedRow],
    vectors: Vectors,
    findings: tuple[Finding, ...],
) -> VectorsReport:
    tokens = sum(map(len, rows))
    hidden_size = model.architecture.dimensions.hidden_size
    saved = {}
    for name, seen in vectors.saved.items():
        factor = seen.sizes[1] // hidden_size if seen.sizes[1] % hidden_size == 0 else 0
        axis = {0: "embedding_dimension", 1: HIDDEN_SIZE}.get(factor, f"{factor}*{HIDDEN_SIZE}")
        saved[name] = TensorShape((_TEXTS, axis), seen.sizes, seen.dtype)
    return VectorsReport(
        name_or_path=model.checkpoint.name,
        weights=weights,
        device=vectors.device,
        path=str(request.save),
        texts=len(rows),
        tokens=tokens,
        padding=vectors.positions - tokens,
        batches=vectors.batches,
        seconds=vectors.seconds,
        saved=saved,
        findings=findings,
    )
