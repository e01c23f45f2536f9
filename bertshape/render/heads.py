"""Task heads: what each gives, and whether the checkpoint holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.inspect import evidence_text, ran_text, sizes_text
from bertshape.render.phrases import in_words
from bertshape.render.tables import UNICODE, Column, Grid, Section, Signs, title
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.report.report import Evidence, Report, TaskFacts

_COLUMNS = (
    Column("task", folds=16),
    Column("output"),
    Column("shape"),
    Column("head"),
    Column("axes", drop=1),
    Column("evidence"),
)
_SHOWN_LABELS = 8
_HEAD_STYLE = {"stored": "green", "random": "red", "partly_random": "red"}


def task_section(report: Report, *, signs: Signs = UNICODE) -> Section:
    """One row for each output of each task; labels and reasons below."""
    common = _common(report.tasks.values())
    rows = []
    for name, task in report.tasks.items():
        for number, (output, facts) in enumerate(task.outputs.items()):
            about = (name, _head(task)) if number == 0 else ("", Text())
            rows.append(
                (
                    Text(about[0]),
                    Text(visible(output)),
                    sizes_text(facts.shape),
                    about[1],
                    Text(facts.shape.by_name),
                    Text() if facts.evidence == common else evidence_text(facts.evidence),
                )
            )
    heading = title("Task heads", ran_text(report, common))
    return Section(heading, Grid(_COLUMNS, rows), (*_labels(report, signs), *_reasons(report)))


def _common(tasks: Iterable[TaskFacts]) -> Evidence:
    outputs = [output for task in tasks for output in task.outputs.values()]
    return "observed" if any(output.evidence == "observed" for output in outputs) else "predicted"


def _head(task: TaskFacts) -> Text:
    return (
        Text("not known", style="dim") if task.head is None else Text(in_words(task.head), style=_HEAD_STYLE[task.head])
    )


def _labels(report: Report, signs: Signs) -> list[Text]:
    """The labels, once for all tasks that have the same."""
    tasks: dict[tuple[str, ...], list[str]] = {}
    for name, task in report.tasks.items():
        if task.labels and task.reason is None:
            tasks.setdefault(task.labels, []).append(name)
    lines = []
    for labels, names in tasks.items():
        shown = ", ".join(visible(label) for label in labels[:_SHOWN_LABELS])
        more = f", {signs.dots}" if len(labels) > _SHOWN_LABELS else ""
        of = f" of {', '.join(names)}" if len(tasks) > 1 else ""
        lines.append(Text.assemble((f"{counted(len(labels), 'label')}{of}: ", "dim"), f"{shown}{more}"))
    return lines


def _reasons(report: Report) -> list[Text]:
    reasons: dict[str, list[str]] = {}
    for name, task in report.tasks.items():
        if task.reason is not None:
            reasons.setdefault(task.reason, []).append(name)
    return [
        Text(f"not available: {', '.join(names)} ({visible(reason)})", style="dim") for reason, names in reasons.items()
    ]
