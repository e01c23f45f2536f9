"""Predicted report x observation -> report with evidence on every row, and a finding for every disagreement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.predict.head_outputs import with_head
from bertshape.report.finding import Finding
from bertshape.report.report import OutputFacts, Run
from bertshape.shapes import TensorShape
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.report.report import Evidence, PooledFacts, Report, StepFacts, TaskFacts
    from bertshape.run.observation import Observation, Observed, ObservedHead

_BUG_HINT = "Trust the observed shape, and report this: bertshape's table of families is wrong about this checkpoint."
_UNKNOWN_HINT = "Trust the observed shape: the family is not in bertshape's table, and was predicted by common rules."
_TOLERANCE = 1e-6


def observe(report: Report, observation: Observation, *, family_known: bool = True) -> Report:
    """Put what a run showed into the predicted report.

    Args:
        report: The prediction.
        observation: What the run gave.
        family_known: Whether the prediction rests on the table of families; else a disagreement is a warning alone.

    Returns:
        The report with observed shapes, the run's facts, and a finding for each disagreement.
    """
    findings: list[Finding] = []
    outputs = _observe_outputs(report.outputs, observation.outputs, findings)
    pooled = _observe_pooled(report.pooled, observation.pooled, findings)
    embedding = _observe_steps(report.embedding, observation.steps, findings)
    tasks = _observe_tasks(report, observation.tasks, findings)
    if report.checkpoint.parameters not in (None, observation.parameters):
        message = f"parameters: predicted {report.checkpoint.parameters}, observed {observation.parameters}"
        findings.append(Finding("prediction-disagrees", "error", message, _BUG_HINT))
    error = observation.unmasked_error
    if report.tokenization.padded and "mean_unmasked" in observation.pooled and (error is None or error > _TOLERANCE):
        off = "" if error is None else f": its numbers are off by up to {error:.3g}"
        findings.append(
            Finding(
                "mean-unmasked-differs",
                "warning",
                f"mean_unmasked averages padding too{off}",
                "Use mean, which leaves padding out.",
            )
        )
    findings += non_finite({**observation.outputs, **_pooled_and_steps(observation)}, observation.dtype)
    findings += collapsed("tokens in last_hidden_state", observation.collapsed)
    run = Run(True, observation.device, observation.dtype, observation.torch, observation.transformers)
    checkpoint = replace(report.checkpoint, dtype=observation.dtype, parameters=observation.parameters)
    observed = replace(
        report,
        checkpoint=checkpoint,
        run=run,
        outputs=outputs,
        pooled=pooled,
        embedding=embedding,
        tasks=tasks,
        layers=observation.layers or report.layers,
    )
    if not family_known:
        findings = [
            replace(finding, severity="warning", hint=_UNKNOWN_HINT) if finding.hint == _BUG_HINT else finding
            for finding in findings
        ]
    return observed.with_findings(*findings)


def non_finite(observed: Mapping[str, Observed], dtype: str) -> list[Finding]:
    """One error for all of a run's tensors that hold NaN or infinity.

    Args:
        observed: What the run gave, by name.
        dtype: Dtype of the parameters.
    """
    broken = {name: actual for name, actual in observed.items() if actual.not_finite}
    if not broken:
        return []
    of_layers = broken.get("hidden_states")
    name, worst = next(iter(broken.items()))
    more, verb = (f" and {len(broken) - 1} more", "hold") if len(broken) > 1 else ("", "holds")
    begins = f"; it begins in hidden_states[{of_layers.broken_from}]" if of_layers is not None else ""
    message = (
        f"{name}{more} {verb} NaN or infinity: {worst.not_finite:,} of {counted(worst.numbers, 'number')} of {name}, "
        f"in {dtype}{begins}"
    )
    wider = "; or run in float32: inspect --dtype float32" if dtype in ("float16", "bfloat16") else ""
    # Only what comes after the model is broken, or nothing else was looked at.
    pooled = name == "sentence_embedding" or name.startswith("step ")
    empty = "; Pooling max gives -inf of a text without tokens" if pooled else ""
    hint = f"Look at the weights with check --values{wider}{empty}."
    return [Finding("non-finite-outputs", "error", message, hint, expected="finite numbers")]


def collapsed(what: str, found: bool) -> list[Finding]:
    """An error where what differs has one vector.

    Args:
        what: What has it.
        found: Whether it was found so.
    """
    if not found:
        return []
    message = f"all {what} have the same vector, which says nothing of them"
    hint = (
        "Look for tensors of zeros with check --values; and of a decoder, whose first token sees itself alone, take "
        "the last: --pooling lasttoken."
    )
    return [Finding("outputs-collapsed", "error", message, hint, expected="different vectors")]


def _pooled_and_steps(observation: Observation) -> dict[str, Observed]:
    pooled = {f"pooled.{name}": actual for name, actual in observation.pooled.items()}
    steps = {f"step {index}": actual for index, actual in enumerate(observation.steps, start=1)}
    heads = {
        f"{task}.{name}": value for task, head in observation.tasks.items() for name, value in head.outputs.items()
    }
    return pooled | steps | heads


def same_shape(report: Report) -> Report:
    """The report of a batch that did not run itself, since another one of its shape did."""
    evidence: Evidence = "same_shape_observed"
    return replace(
        report,
        outputs={name: replace(row, evidence=evidence) for name, row in report.outputs.items()},
        pooled={name: replace(row, evidence=evidence) if row.shape else row for name, row in report.pooled.items()},
        embedding=tuple(replace(row, evidence=evidence) if row.shape else row for row in report.embedding),
        tasks={
            name: replace(task, outputs={key: replace(row, evidence=evidence) for key, row in task.outputs.items()})
            for name, task in report.tasks.items()
        },
    )


def _observe_outputs(
    predicted: Mapping[str, OutputFacts], observed: Mapping[str, Observed], findings: list[Finding]
) -> dict[str, OutputFacts]:
    rows = {}
    for name, row in predicted.items():
        actual = observed.get(name)
        if actual is None:
            findings.append(_disagreement(name, row.shape.by_size, "nothing"))
            continue
        if tuple((shape.sizes, shape.dtype) for shape in row.shapes) != actual.of_each:
            findings.append(_disagreement(name, _describe(row.shape, row.count), _describe_observed(actual)))
        shape = _observed_shape(row.shape, actual)
        labels = row.labels if len(row.labels) == actual.count else ()
        rows[name] = _output(shape, actual, labels)
    for name, actual in observed.items():
        if name not in predicted:
            shape = _observed_shape(None, actual)
            rows[name] = _output(shape, actual, ())
    return rows


def _output(shape: TensorShape, actual: Observed, labels: tuple[str, ...]) -> OutputFacts:
    about = actual.statistics, actual.dtypes, actual.statistics_of_each
    return OutputFacts(shape, "observed", actual.count, labels, actual.each, *about)


def _observe_pooled(
    predicted: Mapping[str, PooledFacts], observed: Mapping[str, Observed], findings: list[Finding]
) -> dict[str, PooledFacts]:
    rows = {}
    for name, row in predicted.items():
        actual = observed.get(name)
        if row.shape is None or actual is None:
            rows[name] = row
            continue
        if (row.shape.sizes, row.shape.dtype) != (actual.sizes, actual.dtype):
            findings.append(_disagreement(f"pooled {name}", _describe(row.shape, None), _describe_observed(actual)))
        shape = _observed_shape(row.shape, actual)
        rows[name] = replace(row, shape=shape, evidence="observed", statistics=actual.statistics)
    return rows


def _observe_steps(
    predicted: tuple[StepFacts, ...], observed: tuple[Observed, ...], findings: list[Finding]
) -> tuple[StepFacts, ...]:
    rows = []
    for index, row in enumerate(predicted):
        if row.shape is None or index >= len(observed):
            rows.append(row)
            continue
        actual = observed[index]
        if (row.shape.sizes, row.shape.dtype) != (actual.sizes, actual.dtype):
            findings.append(_disagreement(f"step {row.name}", _describe(row.shape, None), _describe_observed(actual)))
        rows.append(replace(row, shape=_observed_shape(row.shape, actual), evidence="observed"))
    return tuple(rows)


def _observe_tasks(
    report: Report, observed: Mapping[str, ObservedHead], findings: list[Finding]
) -> dict[str, TaskFacts]:
    rows = dict(report.tasks)
    for name, actual in observed.items():
        row = rows[name]
        if actual.failure is not None:
            message = f"{name}: {actual.failure}"
            findings.append(Finding("task-failed", "error", message, "Leave this task out, or see --debug."))
            rows[name] = replace(row, outputs={}, reason=actual.failure)
            continue
        outputs = _observe_outputs(row.outputs, actual.outputs, findings)
        rows[name] = replace(row, outputs=outputs)
        if report.checkpoint.weights == "checkpoint":
            rows[name] = with_head(rows[name], missing=actual.missing, misfits=actual.misfits, total=actual.total)
    return rows


def _observed_shape(predicted: TensorShape | None, actual: Observed) -> TensorShape:
    if predicted is not None and len(predicted.sizes) == len(actual.sizes):
        return TensorShape(predicted.axes, actual.sizes, actual.dtype)
    # Outputs that nobody predicted need not begin with the batch: XLNet's mems begin with the sequence.
    axes = tuple(f"axis_{index}" for index in range(len(actual.sizes)))
    return TensorShape(axes, actual.sizes, actual.dtype)


def _disagreement(name: str, expected: str, actual: str) -> Finding:
    message = f"{name}: predicted {expected}, observed {actual}"
    return Finding("prediction-disagrees", "error", message, _BUG_HINT)


def _describe(shape: TensorShape, count: int | None) -> str:
    return f"{f'{count} x ' if count is not None else ''}{shape.by_size} {shape.dtype}"


def _describe_observed(actual: Observed) -> str:
    return _describe(_observed_shape(None, actual), actual.count)
