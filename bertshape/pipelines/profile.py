"""Count a corpus with the tokenizer of a checkpoint."""

from __future__ import annotations

import re
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bertshape.corpus.counts import BatchShapes, Counts
from bertshape.corpus.read import in_chunks, read_records
from bertshape.errors import UsageError
from bertshape.pipelines.digests import whole_tokenizer_hash
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.memory import batch_memory
from bertshape.pipelines.model import Model, open_model
from bertshape.pipelines.model_source import ModelSource
from bertshape.report.finding import Finding
from bertshape.report.profile import CUT_CODE, ProfileReport, Setting, merge_profiles
from bertshape.report.profile_summary import summarize
from bertshape.strict_json import quoted
from bertshape.tokens.measure import Measure
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from bertshape.corpus.meter import Meter
    from bertshape.corpus.text_file import Record, TextFile
    from bertshape.report.profile_summary import Cut

BATCH_SIZES = (8, 32, 128)
"""Batch sizes that padding is counted for, where none are named."""
_AT_ONCE = 2
"""Chunks in the hands of the tokenizer: while it is done with one, it has the next already."""


@dataclass(frozen=True)
class ProfileRequest:
    """What to count texts with.

    Attributes:
        source: Checkpoint whose tokenizer and limits apply.
        max_length: One more length at which texts would be cut; batches are cut there too.
        batch_sizes: Batch sizes that padding is counted for.
    """

    source: ModelSource = field(default_factory=ModelSource)
    max_length: int | None = None
    batch_sizes: tuple[int, ...] = BATCH_SIZES

    def check(self) -> None:
        """Refuse what cannot be counted with any checkpoint.

        Raises:
            UsageError: A length or a batch size is less than 1.
        """
        if self.max_length is not None and self.max_length < 1:
            message = f"--max-length is {self.max_length}"
            raise UsageError(message, hint="Pass at least 1.", code="max-length-invalid")
        if not self.batch_sizes or min(self.batch_sizes) < 1:
            raise UsageError("--batch-size must be at least 1", hint="Pass 8 or 32.", code="batch-size-invalid")


def profile(
    request: ProfileRequest, files: Sequence[TextFile], events: Events = SILENT, meter: Meter | None = None
) -> ProfileReport:
    """Count the texts of files.

    Args:
        request: What to count them with.
        files: The files; each begins new batches.
        events: Who watches.
        meter: Follows how far the files are read.

    Raises:
        BertshapeError: A file or the checkpoint cannot be read.
    """
    if [file.path for file in files].count("-") > 1:
        raise UsageError("stdin is named twice", hint="Name - once.", code="stdin-twice")
    named = ((_utf8(file.name), read_records(file, meter)) for file in files)
    return profile_records(request, named, events)


def profile_records(
    request: ProfileRequest, sources: Iterable[tuple[str, Iterable[Record]]], events: Events = SILENT
) -> ProfileReport:
    """Count texts from anywhere.

    Args:
        request: What to count them with.
        sources: Texts, and what to call them; each source begins new batches.
        events: Who watches.

    Raises:
        BertshapeError: A text or the checkpoint cannot be used.
    """
    request.check()
    model = open_model(request.source)
    setting = _setting(request, model)
    findings = model.verdict.findings
    reports = []
    events.phase("tokenizing")
    for name, records in sources:
        counts = _count(model, setting, in_chunks(records), name, events)
        reports.append(ProfileReport(setting, ((name, counts.texts),), counts, _utf8(model.checkpoint.name), findings))
    return merge_profiles(reports)


def judge_cuts(report: ProfileReport, most: float) -> ProfileReport:
    """The same report, with an error for each limit that cuts more than a share of the texts.

    Args:
        report: The counts.
        most: Share of the texts that a limit may cut, from 0 to 1.
    """
    declared: dict[int, list[Cut]] = {}
    for cut in summarize(report).cuts:
        declared.setdefault(cut.limit, []).append(cut)
    findings = []
    for limit, cuts in declared.items():
        # Not by the share, which is rounded.
        if cuts[0].texts > most * report.counts.texts:
            places = ", ".join(cut.where for cut in cuts)
            message = f"a limit of {counted(limit, 'token')} cuts {cuts[0].share:.2%} of the texts ({places})"
            hint = "Split the texts, allow more with --max-cut, or take a model with more positions."
            share = f"{cuts[0].texts:,} of {report.counts.texts:,}"
            findings.append(Finding(CUT_CODE, "error", message, hint, cuts[0].where, f"at most {most:.4%}", share))
    return replace(report, findings=(*report.findings, *findings))


def parse_share(text: str, option: str) -> float:
    """A share from 0 to 1, from `1%` or `0.5%`.

    Raises:
        UsageError: It is none.
    """
    number = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", text.strip(), re.ASCII)
    if number is None or float(number[1]) > 100:
        hint = f"Pass a percentage from 0% to 100%: {option} 1%."
        raise UsageError(f"{option} {quoted(text)} is no percentage", hint=hint, code="share-invalid")
    return float(number[1]) / 100


def _utf8(path: str) -> str:
    """A path that is not UTF-8 holds half surrogates, which JSON cannot carry."""
    return path.encode(errors="backslashreplace").decode()


def _setting(request: ProfileRequest, model: Model) -> Setting:
    limits = {where: limit for where, limit in model.limits.items() if limit is not None}
    runs = [limit for limit in (model.limits["effective"], request.max_length) if limit is not None]
    return Setting(
        tokenizer=whole_tokenizer_hash(model),
        unknown_token=model.tokenizer.unk_token,
        hidden_size=model.architecture.dimensions.hidden_size,
        limits=limits,
        max_length=request.max_length,
        cut_at=min(runs, default=None),
        batch_sizes=tuple(sorted(set(request.batch_sizes))),
        memory=batch_memory(model, min(runs, default=None)),
    )


def _count(model: Model, setting: Setting, chunks: Iterable[list[Record]], name: str, events: Events) -> Counts:
    backend, measure = model.tokenizer.backend, Measure(model.tokenizer, name)
    lengths: Counter[int] = Counter()
    unknown = texts_with_unknown = special = 0
    batches = {size: BatchShapes(size, setting.cut_at) for size in setting.batch_sizes}
    for chunk, (sizes, found) in _ahead(measure, chunks):
        lengths.update(sizes)
        for batch in batches.values():
            batch.add(sizes)
        unknown += sum(found)
        texts_with_unknown += len(found) - found.count(0)
        pairs = sum(record.pair is not None for record in chunk)
        special += pairs * backend.num_special_tokens_to_add(True)
        special += (len(chunk) - pairs) * backend.num_special_tokens_to_add(False)
        events.advanced(len(chunk))
    shapes = {size: batch.end() for size, batch in batches.items()}
    return Counts(lengths, unknown, texts_with_unknown, special, shapes)


def _ahead(
    measure: Measure, chunks: Iterable[list[Record]]
) -> Iterator[tuple[list[Record], tuple[list[int], list[int]]]]:
    """Chunks with their measures, in order; while some are tokenized, without the GIL, others are read and counted."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting: deque[tuple[list[Record], Future[tuple[list[int], list[int]]]]] = deque()
        try:
            for chunk in chunks:
                waiting.append((chunk, pool.submit(measure, chunk)))
                if len(waiting) > _AT_ONCE:
                    done, measured = waiting.popleft()
                    yield done, measured.result()
            while waiting:
                done, measured = waiting.popleft()
                yield done, measured.result()
        finally:
            for _, measured in waiting:
                measured.cancel()
