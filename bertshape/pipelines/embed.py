"""The pipeline of `embed`: texts of a file -> the vector of each in a file, by any number of strategies at once."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.pipelines.batch import check_truncate_dim
from bertshape.pipelines.embed_request import chain_breaks, is_wrong, vector_strategies
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.lengths import settle_lengths
from bertshape.pipelines.model import open_model
from bertshape.pipelines.prompts import prompt_length, settle_prompt
from bertshape.pipelines.reconcile import non_finite
from bertshape.pipelines.running import check_packages, follow_chain, start
from bertshape.pipelines.verify import Sample, check_installed, verify
from bertshape.pipelines.windows import Windows
from bertshape.report.embed import EmbedReport
from bertshape.report.finding import Finding
from bertshape.run.observation import Saving, VectorJob
from bertshape.shapes import HIDDEN_SIZE, TensorShape
from bertshape.soundness.texts import random_weights
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.text_file import BadRecord, Record
    from bertshape.pipelines.embed_request import EmbedRequest
    from bertshape.pipelines.lengths import Lengths
    from bertshape.pipelines.model import Model
    from bertshape.pooling.strategy import Strategy
    from bertshape.run.observation import Vectors

_TEXTS = "num_texts"


def embed(
    request: EmbedRequest, records: Iterable[Record | BadRecord], name: str, events: Events = SILENT
) -> EmbedReport:
    """Run all texts of a file, and write one vector for each.

    Args:
        request: The checkpoint, strategies, limits and the file to write.
        records: The texts, and lines that hold none.
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
    windows = Windows(
        model=model,
        name=name,
        prompt=prompt,
        cut_to=lengths.cut_to,
        skip=request.skip,
        single=request.batch_size == 1,
        sample=Sample(request.verify or 0),
        encoded=events.encoded,
    )
    begin = time.perf_counter()
    reading = windows.read(records)
    first = next(reading)  # what is wrong with the first texts is said before torch is imported
    encoding = time.perf_counter() - begin
    chain = None if request.pooling else follow_chain(model, truncate_dim=request.truncate_dim)
    running = start(model, request.run, events, chain=chain)
    findings = (*findings, *running.verdict.findings)
    if is_wrong(findings, strategies) and not request.allow_unsound:
        return _refused(request, model, findings)
    if request.one_array and chain is not None:
        strategies = ()  # the sentence embedding is the vector
    job = _job(request, model, strategies, events, prompt_length(prompt, model, lengths.cut_to))
    begin = time.perf_counter()
    vectors = running.runner.embed(itertools.chain([first], reading), job)
    seconds = time.perf_counter() - begin + encoding
    broken = non_finite(vectors.saved, model.dtype(request.run.dtype))
    if broken and not request.allow_unsound:
        return _refused(request, model, (*findings, *broken))
    report = _report(request, model, windows, replace(vectors, seconds=seconds))
    report = replace(report, findings=(*findings, *broken, *_notes(report, lengths, vectors)))
    return report if request.verify is None else verify(request, model, windows.sample, lengths, report)


def _notes(report: EmbedReport, lengths: Lengths, vectors: Vectors) -> Iterator[Finding]:
    """What a person should know of the texts, and of the memory."""
    if report.cut:
        was = "was" if report.cut == 1 else "were"
        message = f"{report.cut:,} of {report.texts:,} texts {was} cut to {lengths.cut_to} tokens"
        yield Finding("cut", "warning", message, "Pass --max-length for another limit.")
    if report.skipped:
        first = report.failures[0]
        message = f"{report.skipped:,} of {report.skipped + report.texts:,} lines were skipped: {first.message}"
        more = "" if report.skipped == 1 else "; --json lists the first hundred"
        yield Finding("skipped", "error", message, f"Fix them, or leave them out{more}.")
    if vectors.halved_to is not None:
        message = f"memory ran out on {report.device}; batches were halved until {vectors.halved_to:,} tokens fitted"
        yield Finding("batch-halved", "warning", message, "Pass a smaller --batch-size to save the failed tries.")


def _refused(request: EmbedRequest, model: Model, findings: tuple[Finding, ...]) -> EmbedReport:
    return EmbedReport(model.checkpoint.name, model.weights, str(request.save.path), written=False, findings=findings)


def _job(
    request: EmbedRequest, model: Model, strategies: tuple[Strategy, ...], events: Events, prompt_tokens: int
) -> VectorJob:
    about = {"checkpoint": model.checkpoint.name, "weights": model.weights} | request.options()
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
        prompt_length=prompt_tokens,
        keep_broken=request.allow_unsound,
    )


def _report(request: EmbedRequest, model: Model, windows: Windows, vectors: Vectors) -> EmbedReport:
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
        texts=windows.texts,
        skipped=windows.skipped,
        failures=tuple(windows.failures),
        cut=windows.cut,
        tokens=windows.tokens,
        padding=vectors.positions - windows.tokens,
        batches=vectors.batches,
        seconds=vectors.seconds,
        saved=saved,
    )
