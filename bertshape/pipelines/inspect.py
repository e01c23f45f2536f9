"""The pipeline of `inspect`: request -> model -> batch -> predicted report -> real run -> observed report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pipelines.batch import Batch, check_strategies, make_batch
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.model import open_model
from bertshape.pipelines.packages import INSTALL, check_packages, missing_packages
from bertshape.pipelines.predicted import predict, with_head_findings
from bertshape.pipelines.prompts import settle_prompt
from bertshape.pipelines.reconcile import observe
from bertshape.pipelines.running import follow_chain, start
from bertshape.predict.heads import load_head
from bertshape.report.finding import Finding
from bertshape.run.request import Plan, Saving
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.pipelines.request import InspectionRequest, RunOptions, SaveOptions
    from bertshape.pipelines.running import Running
    from bertshape.report.report import Report
    from bertshape.run.observation import Observation


def inspect(request: InspectionRequest, events: Events = SILENT) -> Report:
    """Inspect texts: what comes out of the checkpoint, in which shape.

    Args:
        request: What to inspect.
        events: Who watches.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    request.check()
    weights, missing = request.run.weights, missing_packages()
    if missing and weights is None and request.save is None:
        weights = "none"
    elif missing and weights != "none":
        check_packages("--save" if request.save is not None else f"--weights {weights}")
    if request.wanted.statistics and weights == "none":
        hint = INSTALL if missing else "Leave out --stats, or --dry-run (--weights none)."
        raise UsageError("--stats is of the numbers of a run, and nothing runs", hint=hint, code="stats-without-run")
    model = open_model(request.source, weights)
    prompt = settle_prompt(request.prompting, model.recipe)
    batch = make_batch(model, request.texts, request.lengths, request.wanted, request.run.dtype, prompt=prompt)
    report = predict(batch)
    check_strategies(request.wanted, report)
    if model.weights == "none":
        return report.with_findings(*_not_run(missing if request.run.weights is None else ()))
    events.predicted(report)
    # Its texts are tokens by now, and torch comes next: 6 MB less at the peak.
    model.tokenizer.release()
    return run(batch, report, request.run, events, request.save)


def _not_run(missing: tuple[str, ...]) -> Iterator[Finding]:
    """Why nothing was run that could have been."""
    if missing:
        message = f"{' and '.join(missing)} not installed: all shapes are predicted, none was observed"
        yield Finding("not-run", "note", message, INSTALL)


def run(
    batch: Batch, report: Report, options: RunOptions, events: Events = SILENT, save: SaveOptions | None = None
) -> Report:
    """The report of a batch with what a real run shows.

    Args:
        batch: The batch.
        report: Its prediction.
        options: How to run.
        events: Who watches.
        save: Which tensors to write to a file.

    Raises:
        BertshapeError: The weights cannot be loaded, or the device fails.
    """
    running = start_for(batch, report, options, events)
    events.phase("running")
    return conclude(batch, report, running, running.runner.observe(batch.tokenization, plan(batch, report, save)))


def start_for(batch: Batch, report: Report, options: RunOptions, events: Events = SILENT) -> Running:
    """Load the model of a batch, with the steps of its chain that the report could follow.

    Args:
        batch: The batch.
        report: Its prediction.
        options: How to run.
        events: Who watches.

    Raises:
        BertshapeError: The weights cannot be loaded, or the device fails.
    """
    model = batch.model
    followed = sum(step.shape is not None for step in report.embedding[: len(model.recipe.steps)])
    chain = follow_chain(model, followed, batch.wanted.truncate_dim)
    return start(
        model,
        options,
        events,
        chain=chain,
        attentions=batch.wanted.attentions and model.architecture.gives_attentions,
        failed=report.failed,
    )


def plan(batch: Batch, report: Report, save: SaveOptions | None = None) -> Plan:
    """What a run is to do with a batch: all that has a predicted result."""
    model, saving = batch.model, None
    if save is not None:
        about = {"checkpoint": model.checkpoint.name, "weights": model.weights, "dtype": batch.dtype}
        saving = Saving(save.path, save.only, save.hidden_states, about | {"bertshape": __version__})
    heads = [load_head(model.architecture.model_type, name) for name, row in report.tasks.items() if not row.reason]
    return Plan(
        strategies=tuple(row for row in batch.strategies if report.pooled[row.name].shape is not None),
        layers=batch.wanted.layers,
        tasks=tuple(head for head in heads if head is not None),
        saving=saving,
        prompt_length=batch.prompt_length,
        statistics=batch.wanted.statistics,
    )


def conclude(batch: Batch, report: Report, running: Running, observation: Observation) -> Report:
    """The report of a batch with what a run showed of it.

    Args:
        batch: The batch.
        report: Its prediction.
        running: The model that ran.
        observation: What the run gave.
    """
    report = observe(report, observation, family_known=batch.model.architecture.family is not None)
    report = with_head_findings(batch, report)
    loaded = running.verdict
    if loaded.pooler is not None:
        report = replace(report, checkpoint=replace(report.checkpoint, pooler=loaded.pooler))
    return report.with_findings(*loaded.findings)
