"""Expectations on texts: tokens, shapes and, where it is asked for, a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.contract.expectations import Expectation, Subject, match
from bertshape.errors import UsageError
from bertshape.pipelines import facts
from bertshape.pipelines.batch import make_batch
from bertshape.pipelines.behaviour import behave
from bertshape.pipelines.inspect import conclude, plan, start_for
from bertshape.pipelines.predicted import predict
from bertshape.pipelines.request import LengthOptions, RunOptions, Texts, Wanted
from bertshape.pooling.shapes import select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.predict.heads import TASKS
from bertshape.report.check import Outcome, outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.pipelines.batch import Batch
    from bertshape.pipelines.check_request import CheckCase
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.running import Running
    from bertshape.report.finding import Finding
    from bertshape.report.report import Report, Weights
    from bertshape.shapes import TensorShape


_LOGITS = ("logits", "start_logits", "end_logits")


class CaseRunner:
    """Runs the cases of one checkpoint; the model is loaded once, at the first of them."""

    def __init__(self, model: Model, device: str) -> None:
        weights: Weights = "checkpoint" if model.checkpoint.has_weights else "random"
        self._model, self._options = replace(model, weights=weights), RunOptions(device=device)
        self._running: Running | None = None

    def observe(self, batch: Batch) -> Report:
        """The report of a case with what a run shows.

        Raises:
            BertshapeError: The weights cannot be loaded, or the device fails.
        """
        batch = replace(batch, model=self._model, dtype=self._model.dtype(self._options.dtype))
        report = predict(batch)
        if self._running is None:
            self._running = start_for(batch, report, self._options)
        observation = self._running.runner.observe(batch.tokenization, plan(batch, report))
        return conclude(batch, report, self._running, observation)

    def behave(self, name: str, case: CheckCase) -> Outcome:
        """Whether the model behaves so on the text of a case that was observed.

        Raises:
            BertshapeError: The text leaves no room for padding, or the device fails.
        """
        assert self._running is not None
        return behave(name, self._model, self._running.runner, case.text)


def check_case(
    model: Model, of_texts: Sequence[Expectation], case: CheckCase, runner: CaseRunner | None
) -> tuple[list[Outcome], list[Finding]]:
    """Outcomes of the expectations on one text, and what a run found, where one was asked for.

    Args:
        model: The checkpoint, read.
        of_texts: Expectations that all texts share.
        case: The text, and its own expectations.
        runner: What runs it; None to predict alone.
    """
    expectations = [*of_texts]
    expectations += [Expectation(name, "=", pattern) for name, pattern in case.shapes.items()]
    names = [expectation.name for expectation in expectations]
    texts = Texts((case.text,), () if case.pair is None else (case.pair,))
    texts.check()
    wanted = Wanted(
        pooling=(*STRATEGIES, *_chosen_pooling(names, model.recipe.pooling)),
        tasks=tuple(task for task in TASKS if any(name.startswith(f"{task}.") for name in names)),
    )
    batch = make_batch(model, texts, LengthOptions(), wanted, "auto")
    report = predict(batch) if runner is None else runner.observe(batch)
    outcomes = [
        Outcome(f"{outcome.name} for {case.label!r}", outcome.problems, mismatches=outcome.mismatches)
        for outcome in outcomes_of(expectations, match(expectations, _subject(report, model)))
    ]
    input_ids = tuple(token.input_id for token in report.tokenization.rows[0].tokens)
    if case.input_ids is not None:
        outcomes.append(Outcome(f"input_ids for {case.label!r}", tuple(_id_problems(case.input_ids, input_ids))))
    if runner is not None:
        broken = [finding for finding in report.findings if finding.code == "prediction-disagrees"]
        outcomes.append(Outcome(f"run of {case.label!r}", tuple(finding.message for finding in broken)))
    kept = [finding for finding in report.findings if finding.severity == "error"] if runner else []
    return outcomes, kept


def case_subject(model: Model, case: CheckCase) -> Subject:
    """Everything that an expectation may name, the shapes of a text predicted.

    Args:
        model: The checkpoint, read.
        case: The text.

    Raises:
        UsageError: The text cannot be used.
    """
    texts = Texts((case.text,), () if case.pair is None else (case.pair,))
    texts.check()
    wanted = Wanted(pooling=(*STRATEGIES, *_chosen_pooling((), model.recipe.pooling)))
    return _subject(predict(make_batch(model, texts, LengthOptions(), wanted, "auto")), model)


def _chosen_pooling(names: Sequence[str], declared: str | None) -> Iterator[str]:
    """Strategies that are no row of the table and are named, such as `mean@-2`; and the declared one."""
    if declared is not None and declared not in STRATEGIES:
        yield declared
    for name in names:
        strategy = name.removeprefix("pooled.")
        if strategy != name and strategy not in STRATEGIES:
            try:
                select([strategy])
            except UsageError:
                continue  # What is no strategy is reported with the other names that do not exist.
            yield strategy


def _subject(report: Report, model: Model) -> Subject:
    batch = report.tokenization
    scalars = facts.all_scalars(model)
    scalars |= {"batch_size": batch.batch_size, "sequence_length": batch.sequence_length, "num_words": batch.num_words}
    shapes: dict[str, TensorShape] = dict(report.inputs) | {name: row.shape for name, row in report.outputs.items()}
    shapes |= {f"pooled.{name}": row.shape for name, row in report.pooled.items() if row.shape is not None}
    for task, head in report.tasks.items():
        shapes |= {f"{task}.{name}": row.shape for name, row in head.outputs.items()}
        # Of a checkpoint with one head, which is the usual case, `logits` says enough.
        shapes |= {name: row.shape for name, row in head.outputs.items() if len(report.tasks) == 1}
    if report.run.executed:
        scalars["device"] = report.run.device
    if report.embedding and report.embedding[-1].shape is not None:
        shapes["sentence_embedding"] = report.embedding[-1].shape
    missing = {f"pooled.{name}": row.reason or "" for name, row in report.pooled.items() if row.shape is None}
    if "pooler_output" not in shapes:
        missing["pooler_output"] = "the model has no pooler"
    for task, head in report.tasks.items():
        missing |= {f"{task}.{name}": head.reason for name in _LOGITS if not head.outputs and head.reason}
    return Subject(scalars, shapes, missing, facts.named_tensors(model))


def _id_problems(expected: tuple[int, ...], actual: tuple[int, ...]) -> Iterator[str]:
    if expected == actual:
        return
    pairs = zip(expected, actual, strict=False)
    at = next((index for index, (want, got) in enumerate(pairs) if want != got), min(len(expected), len(actual)))
    lengths = f", {len(expected)} against {len(actual)} ids" if len(expected) != len(actual) else ""
    want, got = (str(ids[at]) if at < len(ids) else "nothing" for ids in (expected, actual))
    yield f"input_ids: expected {want}, got {got} at position {at}{lengths}"
