"""Any number of texts through one model, batch after batch, in constant memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import fetch_weights
from bertshape.errors import BertshapeError, UsageError
from bertshape.pipelines.inspect import conclude, forward_request, plan, predict
from bertshape.pipelines.model import make_case, open_model
from bertshape.pipelines.verdict import judge_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.records import Record
    from bertshape.pipelines.model import Case
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.report.report import Report
    from bertshape.run.observation import Observation
    from bertshape.run.runner import Runner


@dataclass(frozen=True)
class Batch:
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
        forwards: How many forward passes were run so far: one for each shape of a batch is enough to observe it.
    """

    def __init__(self, request: InspectionRequest, name: str) -> None:
        """Open the model.

        Args:
            request: What to do with each batch; its texts are not looked at.
            name: Name of the texts' file, for messages.
        """
        self.forwards = 0
        self._request = request
        self._name = name
        self._model = open_model(request.model, revision=request.revision, offline=request.offline)
        self._runner: Runner | None = None
        self._seen: dict[tuple[int, int, int], Observation] = {}

    def batches(self, records: Iterable[Record], batch_size: int) -> Iterator[Batch]:
        """Inspect texts in their order.

        Raises:
            BertshapeError: A text cannot be inspected; the message names its line.
        """
        verdict = None
        index = 0
        waiting = iter(records)
        while group := tuple(itertools.islice(waiting, batch_size)):
            case = self._case(group)
            verdict = verdict or judge_model(case.model, case.weights)
            report = predict(case, verdict)
            if case.weights != "none":
                report = conclude(case, report, self._observe(case, report))
            yield Batch(index, group, report)
            index += len(group)

    def _case(self, group: tuple[Record, ...]) -> Case:
        pairs = tuple(record.pair for record in group if record.pair is not None)
        first, last = group[0].line, group[-1].line
        where = f"{self._name}, line {first}" if first == last else f"{self._name}, lines {first} to {last}"
        if pairs and len(pairs) != len(group):
            hint = 'Give all of them a "pair", or none.'
            raise UsageError(f"{where}: only some have a pair", hint=hint, code="pairs-mismatch")
        request = replace(self._request, texts=tuple(record.text for record in group), pairs=pairs)
        try:
            request.check()
            return make_case(request, self._model)
        except BertshapeError as error:
            raise type(error)(f"{where}: {error.message}", hint=error.hint, code=error.code) from error

    def _observe(self, case: Case, report: Report) -> Observation:
        batch = case.tokenization
        shape = (batch.batch_size, batch.sequence_length, batch.num_words)
        if shape not in self._seen:
            from bertshape.run.runner import Runner

            if self._runner is None:
                if case.weights == "checkpoint":
                    fetch_weights(self._model.checkpoint, progress=self._request.progress)
                self._runner = Runner(forward_request(case))
            self.forwards += 1
            seen = self._runner.observe(batch, plan(case, report))
            # How far off mean_unmasked is belongs to these texts alone, not to others of their shape.
            self._seen[shape] = replace(seen, unmasked_error=None)
            return seen
        return self._seen[shape]
