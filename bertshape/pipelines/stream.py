"""Any number of texts through one model, batch after batch, in constant memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bertshape.corpus.text_file import BadRecord
from bertshape.errors import BertshapeError, TextPlace, UsageError
from bertshape.pipelines.batch import check_strategies, make_batch
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.inspect import conclude, plan, start_for
from bertshape.pipelines.model import open_model
from bertshape.pipelines.predicted import predict
from bertshape.pipelines.prompts import settle_prompt
from bertshape.pipelines.reconcile import same_shape
from bertshape.pipelines.request import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.batch import Batch
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.pipelines.running import Running
    from bertshape.report.report import Report
    from bertshape.run.observation import Observation


OF_TEXTS = frozenset(
    {
        "length-not-exact",
        "line-invalid",
        "pairs-mismatch",
        "text-not-unicode",
        "text-too-large",
        "text-too-long",
        "token-id-out-of-range",
        "tokenizer-invalid",
    }
)
"""Codes of errors that are about a text, and not about what was asked for or the model."""


@dataclass(frozen=True)
class StreamedBatch:
    """Some texts, and the report of the batch that they make.

    Attributes:
        records: The texts by their numbers in the stream, from 0.
        report: Their report, a row for each; None where no line of the batch has a text.
        failures: Why other lines have no report, by their numbers.
    """

    records: Mapping[int, Record]
    report: Report | None
    failures: Mapping[int, BertshapeError] = field(default_factory=dict)


class Stream:
    """A model through which texts flow.

    Attributes:
        forwards: How many batches ran so far: one for each shape of a batch is enough to observe it. What a later
            batch of that shape gives is marked as of the same shape, not as observed.
    """

    def __init__(self, request: InspectionRequest, name: str, events: Events = SILENT) -> None:
        """Open the model.

        Args:
            request: What to do with each batch; its texts are not looked at.
            name: Name of the texts' file, for messages.
            events: Who watches.
        """
        self.forwards = 0
        self._request = request
        self._name = name
        self._events = events
        self._model = open_model(request.source, request.run.weights)
        self._prompt = settle_prompt(request.prompting, self._model.recipe)
        self._running: Running | None = None
        self._seen: dict[tuple[int, int, int], Observation] = {}

    def batches(
        self, lines: Iterable[Record | BadRecord], batch_size: int, *, skip: bool = False
    ) -> Iterator[StreamedBatch]:
        """Inspect texts in their order.

        Args:
            lines: The texts, and lines that are none.
            batch_size: Lines that make one batch.
            skip: Pass over a line that has no text, or a text that cannot be inspected.

        Raises:
            BertshapeError: A text cannot be inspected, and is not to be passed over; the message names its line.
        """
        numbered = enumerate(lines)
        self._events.phase("inspecting")
        while part := tuple(itertools.islice(numbered, batch_size)):
            failures: dict[int, BertshapeError] = {
                number: line.error.about(TextPlace(number, line.line, line.id))
                for number, line in part
                if isinstance(line, BadRecord)
            }
            if failures and not skip:
                raise next(iter(failures.values()))
            records = {number: line for number, line in part if not isinstance(line, BadRecord)}
            records, batch = self._settle(records, failures, skip=skip)
            report = None if batch is None else self._report(batch)
            self._events.advanced(len(part))
            yield StreamedBatch(records, report, failures)

    def _report(self, batch: Batch) -> Report:
        report = predict(batch)
        check_strategies(self._request.wanted, report)
        return report if self._model.weights == "none" else self._observe(batch, report)

    def _settle(
        self, records: dict[int, Record], failures: dict[int, BertshapeError], *, skip: bool
    ) -> tuple[dict[int, Record], Batch | None]:
        """The batch of some texts. Those that keep it from being made go to the failures, where they may be skipped."""
        if not records:
            return records, None
        try:
            return records, self._batch(tuple(records.values()))
        except BertshapeError as error:
            if len(records) == 1:
                ((number, record),) = records.items()
                error.about(TextPlace(number, record.line, record.id))
            if not skip or error.code not in OF_TEXTS:
                raise
            alone = self._failing_alone(records) or dict.fromkeys(records, error)
        for number, reason in alone.items():
            # A new one: all texts of a batch may have failed by one and the same.
            failure = type(reason)(reason.message, hint=reason.hint, code=reason.code)
            failures[number] = failure.about(TextPlace(number, records[number].line, records[number].id))
        return self._settle({key: value for key, value in records.items() if key not in alone}, failures, skip=skip)

    def _failing_alone(self, records: Mapping[int, Record]) -> dict[int, BertshapeError]:
        failures = {}
        for number, record in records.items():
            try:
                self._batch((record,))
            except BertshapeError as error:
                failures[number] = error
        return failures

    def _batch(self, group: tuple[Record, ...]) -> Batch:
        pairs = tuple(record.pair for record in group if record.pair is not None)
        first, last = group[0], group[-1]
        lines = first.place if len(group) == 1 else f"{first.unit}s {first.line} to {last.line}"
        where = f"{self._name}, {lines}"
        if pairs and len(pairs) != len(group):
            hint = 'Give all of them a "pair", or none.'
            raise UsageError(f"{where}: only some have a pair", hint=hint, code="pairs-mismatch")
        request = replace(self._request, texts=Texts(tuple(record.text for record in group), pairs))
        try:
            request.check()
            return make_batch(
                self._model, request.texts, request.lengths, request.wanted, request.run.dtype, prompt=self._prompt
            )
        except BertshapeError as error:
            raise type(error)(f"{where}: {error.message}", hint=error.hint, code=error.code) from error

    def _observe(self, batch: Batch, report: Report) -> Report:
        rows = batch.tokenization
        shape = (rows.batch_size, rows.sequence_length, rows.num_words)
        running = self._start(batch, report)
        if shape in self._seen:
            return same_shape(conclude(batch, report, running, self._seen[shape]))
        self.forwards += 1
        seen = running.runner.observe(rows, plan(batch, report))
        # How far off mean_unmasked is belongs to these texts alone, not to others of their shape.
        self._seen[shape] = replace(seen, unmasked_error=None)
        return conclude(batch, report, running, seen)

    def _start(self, batch: Batch, report: Report) -> Running:
        if self._running is None:
            self._running = start_for(batch, report, self._request.run, self._events)
            self._events.phase("inspecting")
        return self._running
