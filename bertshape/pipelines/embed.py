"""The pipeline of `embed`: texts of a file -> the vector of each in a file, by any number of strategies at once."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.packages import check_packages
from bertshape.pipelines.reconcile import collapsed, non_finite
from bertshape.pipelines.vector_maker import open_maker
from bertshape.pipelines.verify import Sample, check_installed, verify
from bertshape.report.embed import EmbedReport
from bertshape.report.finding import Finding
from bertshape.run.request import Saving
from bertshape.shapes import HIDDEN_SIZE, TensorShape
from bertshape.version import __version__
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.text_file import BadRecord, Record
    from bertshape.pipelines.embed_request import EmbedRequest
    from bertshape.pipelines.lengths import Lengths
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.windows import Windows
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
    maker = open_maker(request)
    model, findings = maker.model, maker.findings
    if maker.refused:
        return _refused(request, model, findings)
    sample = Sample(request.verify or 0)
    windows = maker.windows(name, sample, skip=request.skip, events=events)
    events.phase("reading texts")
    begin = time.perf_counter()
    reading = windows.read(records)
    first = next(reading)  # what is wrong with the first texts is said before torch is imported
    encoding = time.perf_counter() - begin
    windows.events = SILENT
    running = maker.start(events)
    if running.refused:
        return _refused(request, model, running.findings)
    begin = time.perf_counter()
    vectors = running.run(itertools.chain([first], reading), events, _saving(request, model))
    seconds = time.perf_counter() - begin + encoding
    findings = running.findings
    broken = non_finite(vectors.saved, model.dtype(request.run.dtype)) + collapsed("texts", vectors.collapsed)
    if broken and not request.allow_unsound:
        return _refused(request, model, (*findings, *broken))
    report = _report(request, model, windows, replace(vectors, seconds=seconds))
    report = replace(report, findings=(*findings, *broken, *_notes(report, maker.lengths, vectors)))
    if request.verify is None:
        return report
    events.phase("running sentence-transformers")
    return verify(request, model, sample, maker.lengths, report)


def _notes(report: EmbedReport, lengths: Lengths, vectors: Vectors) -> Iterator[Finding]:
    """What a person should know of the texts, and of the memory."""
    if report.cut:
        was = "was" if report.cut == 1 else "were"
        message = f"{report.cut:,} of {counted(report.texts, 'text')} {was} cut to {lengths.cut_to} tokens"
        yield Finding("cut", "warning", message, "Pass --max-length for another limit.")
    if report.skipped:
        first = report.failures[0]
        message = f"{report.skipped:,} of {counted(report.skipped + report.texts, 'line')} skipped: {first.message}"
        more = "" if report.skipped == 1 else "; --json lists the first hundred"
        yield Finding("skipped", "error", message, f"Fix them, or leave them out{more}.")
    if vectors.halved_to is not None:
        message = (
            f"memory ran out on {report.device}; batches were halved until {counted(vectors.halved_to, 'token')} fitted"
        )
        yield Finding("batch-halved", "warning", message, "Pass a smaller --batch-size to save the failed tries.")


def _refused(request: EmbedRequest, model: Model, findings: tuple[Finding, ...]) -> EmbedReport:
    return EmbedReport(model.checkpoint.name, model.weights, str(request.save.path), written=False, findings=findings)


def _saving(request: EmbedRequest, model: Model) -> Saving:
    about = {"checkpoint": model.checkpoint.name, "weights": model.weights} | request.options()
    if request.allow_unsound and model.verdict.errors:
        about["unsound"] = "; ".join(finding.code for finding in model.verdict.errors)
    return Saving(request.save.path, (), False, about | {"bertshape": __version__})


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
