"""The pipeline of `embed`: texts of a file -> the vector of each in a file, by any number of strategies at once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pipelines.batch import check_truncate_dim
from bertshape.pipelines.embed_request import chain_breaks, is_wrong, vector_strategies
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.lengths import Lengths, check_ids, check_length, settle_lengths
from bertshape.pipelines.model import open_model
from bertshape.pipelines.prompts import prompt_length, settle_prompt
from bertshape.pipelines.reconcile import non_finite
from bertshape.pipelines.running import check_packages, follow_chain, start
from bertshape.pipelines.verify import Sample, check_installed, verify
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
    from bertshape.pipelines.embed_request import EmbedRequest
    from bertshape.pipelines.model import Model
    from bertshape.pooling.strategy import Strategy
    from bertshape.run.observation import Vectors
    from bertshape.tokens.encode import EncodedRow

_TEXTS = "num_texts"


def embed(request: EmbedRequest, records: Iterable[Record], name: str, events: Events = SILENT) -> EmbedReport:
    """Run all texts of a file, and write one vector for each.

    Args:
        request: The checkpoint, strategies, limits and the file to write.
        records: The texts.
        name: Name of their file, for messages.
        events: Who watches.

    Returns:
        What was written. The arrays are `pooled.NAME`, and `sentence_embedding`, unless strategies are named: it is
        what `SentenceTransformer(folder).encode` gives. Row i is the vector of text i. Nothing is written where the
        model is unsound: the findings say why.

    Raises:
        BertshapeError: A text cannot be used, a strategy does not give one vector per text, or the run fails.
    """
    request.check()
    check_packages("embed")
    if request.verify is not None:
        check_installed()
    model = open_model(request.source, request.run.weights, as_encode=True)
    if model.weights == "none":
        open_model(request.source, "checkpoint")  # Nothing can run: this raises the reason.
    check_truncate_dim(request.truncate_dim, model)
    strategies = vector_strategies(request, model)
    findings = (*model.verdict.findings, *chain_breaks(request, model))
    if model.weights == "random":
        findings = (random_weights(model.checkpoint.location.source), *findings)
    if is_wrong(findings, strategies) and not request.allow_unsound:
        return _refused(request, model, findings)
    prompt = settle_prompt(request.prompting, model.recipe, as_encode=True)
    lengths = settle_lengths(request.lengths, model, as_encode=True)
    sample = Sample(request.verify or 0)
    begin = time.perf_counter()
    rows = _encode(model, (replace(row, text=prompt + row.text) for row in sample.of(records)), name, lengths)
    if request.batch_size > 1 and len({len(row) for row in rows}) > 1:
        padding_id(model.tokenizer)  # Refuses where there is none.
    encoding = time.perf_counter() - begin
    chain = None if request.pooling else follow_chain(model, truncate_dim=request.truncate_dim)
    running = start(model, request.run, events, chain=chain)
    findings = (*findings, *running.verdict.findings)
    if is_wrong(findings, strategies) and not request.allow_unsound:
        return _refused(request, model, findings)
    job = _job(request, model, strategies, len(rows), events)
    vectors = running.runner.embed(rows, replace(job, prompt_length=prompt_length(prompt, model, lengths.cut_to)))
    broken = non_finite(vectors.saved, model.dtype(request.run.dtype))
    if broken and not request.allow_unsound:
        return _refused(request, model, (*findings, *broken))
    report = _report(request, model, rows, replace(vectors, seconds=vectors.seconds + encoding))
    report = replace(report, findings=(*findings, *broken, *_cut(report, lengths)))
    return report if request.verify is None else verify(request, model, sample, lengths, report)


def _cut(report: EmbedReport, lengths: Lengths) -> tuple[Finding, ...]:
    if not report.cut:
        return ()
    message = f"{report.cut:,} of {report.texts:,} texts {'was' if report.cut == 1 else 'were'} cut to {lengths.cut_to}"
    return (Finding("cut", "warning", f"{message} tokens", "Pass --max-length for another limit."),)


def _refused(request: EmbedRequest, model: Model, findings: tuple[Finding, ...]) -> EmbedReport:
    return EmbedReport(model.checkpoint.name, model.weights, str(request.save.path), written=False, findings=findings)


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
        keep_broken=request.allow_unsound,
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
