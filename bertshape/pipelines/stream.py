"""Any number of texts through one model, batch after batch, in constant memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.errors import BertshapeError, UsageError
from bertshape.pipelines.batch import check_strategies, make_batch
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.inspect import conclude, plan, start_for
from bertshape.pipelines.model import open_model
from bertshape.pipelines.predicted import predict
from bertshape.pipelines.reconcile import same_shape
from bertshape.pipelines.request import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.batch import Batch
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.pipelines.running import Running
    from bertshape.report.report import Report
    from bertshape.run.observation import Observation


@dataclass(frozen=True)
class StreamedBatch:
    """Some texts, and the report of the batch that they make.

    Attributes:
        index: Number of the first text in the stream, from 0.
        records: The texts.
        report: Their report, a row for each.
    """

    index: int
    records: tuple[Record, ...]
    report: Report


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
        self._running: Running | None = None
        self._seen: dict[tuple[int, int, int], Observation] = {}

    def batches(self, records: Iterable[Record], batch_size: int) -> Iterator[StreamedBatch]:
        """Inspect texts in their order.

        Raises:
            BertshapeError: A text cannot be inspected; the message names its line.
        """
        index = 0
        waiting = iter(records)
        while group := tuple(itertools.islice(waiting, batch_size)):
            batch = self._batch(group)
            report = predict(batch)
            check_strategies(self._request.wanted, report)
            if self._model.weights != "none":
                report = self._observe(batch, report)
            yield StreamedBatch(index, group, report)
            index += len(group)

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
            return make_batch(self._model, request.texts, request.lengths, request.wanted, request.run.dtype)
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
        return self._running
