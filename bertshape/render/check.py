"""Check reports for people: one line per checkpoint, and below them what is wrong or worth knowing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.escape import human_bytes, told_apart, visible
from bertshape.render.findings import finding_lines, hint_lines
from bertshape.render.tables import UNICODE, Column, Grid, Signs, labelled
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.report.check import CheckReport

_COLUMNS = (
    Column(""),
    Column("checkpoint", folds=16),
    Column("model"),
    Column("verdict"),
    Column("stored tensors", drop=2),
    Column("bytes read", drop=3),
)
_MANY_TENSORS = 5
_MANY_FACTS = 17
_FAIL = "bold red"


def render_checks(
    reports: Sequence[CheckReport], columns: int, *, quiet: bool = False, signs: Signs = UNICODE
) -> RenderableType:
    """All reports.

    Args:
        reports: What the checks found.
        columns: Width of the terminal.
        quiet: Show those that fail alone, and of them the lines that fail.
        signs: Characters that the terminal has.
    """
    names = dict(zip(given := [report.name for report in reports], told_apart(given), strict=True))
    shown = [report for report in reports if not (quiet and report.passed)]
    parts: list[RenderableType] = []
    if not quiet:
        parts.append(
            Grid(_COLUMNS, [_cells(report, names[report.name], signs) for report in shown]).render(columns, signs)
        )
    for report in shown:
        details = _details(report, quiet=quiet, alone=len(reports) == 1)
        if details:
            name = [] if len(reports) == 1 and not quiet else [Text(names[report.name], style="bold")]
            parts += [*([Text()] if parts else []), *name, *details]
    if len(reports) > 1 and not quiet:
        failed = sum(not report.passed for report in reports)
        verdict = f"{failed} failed" if failed else "all passed"
        line = f"\n{counted(len(reports), 'checkpoint')}: {verdict}"
        parts.append(Text(line, style=_FAIL if failed else "bold green"))
    return Group(*parts)


def summary_line(report: CheckReport) -> str:
    """The checkpoint in one line: family, sizes, tensors, bytes."""
    parts = [_model(report), *filter(None, (_tensors(report), _read(report)))]
    return ", ".join(parts)


def _cells(report: CheckReport, shown: str, signs: Signs) -> tuple[Text, ...]:
    verdict = Text("ok", style="green") if report.passed else Text("failed", style=_FAIL)
    name = Text(shown, style="bold")
    if report.error is not None and not report.summary:
        return (verdict, name, Text(signs.dash), Text(report.stopped), Text(), Text())
    checked = _checked(report) if report.error is None else "no tokenizer"
    return (verdict, name, Text(_model(report)), Text(checked), Text(_tensors(report)), Text(_read(report)))


def _model(report: CheckReport) -> str:
    facts = report.summary
    return f"{visible(str(facts['model_type']))}, {facts['num_hidden_layers']} x {facts['hidden_size']}"


def _tensors(report: CheckReport) -> str:
    if report.backbone_tensors is None or report.stored_tensors is None:
        return ""
    others = report.stored_tensors - report.backbone_tensors
    return f"{report.backbone_tensors} backbone" + (f" + {others} other" if others else "")


def _read(report: CheckReport) -> str:
    if report.bytes_read is None or report.weight_bytes is None:
        return ""
    return f"{human_bytes(report.bytes_read)} of {human_bytes(report.weight_bytes)}"


def _checked(report: CheckReport) -> str:
    """What was found: whether it is sound, and how many of the expectations hold."""
    asked = [outcome for outcome in report.outcomes if outcome.name != "soundness"]
    held = sum(not outcome.problems for outcome in asked)
    sound = ["not sound" if outcome.problems else "sound" for outcome in report.outcomes if outcome.name == "soundness"]
    of = "" if held == len(asked) else f"{held} of "
    count = of + counted(len(asked), "expectation") if asked else ""
    return ", ".join(filter(None, (*sound, count)))


def _details(report: CheckReport, *, quiet: bool, alone: bool) -> list[RenderableType]:
    """What is wrong; of a checkpoint that is checked alone its notes too."""
    severities = {"error"} if quiet else {"error", "warning", *(["note"] if alone else [])}
    lines = finding_lines(finding for finding in report.findings if finding.severity in severities)
    if report.error is not None:
        error = labelled("error", visible(report.error.message), style=_FAIL)
        covered = _coverage(report) if alone and not quiet else []
        return [error, *hint_lines(report.error.hint), *lines, *covered]
    for outcome in report.outcomes:
        if outcome.name != "soundness":  # Each of its problems is a finding above.
            lines += [labelled("FAIL", visible(problem), style=_FAIL) for problem in outcome.problems]
    if alone and not quiet:
        lines += _coverage(report)
    held = _held(report)
    return [*lines, labelled("ok", ", ".join(held), style="green")] if held and alone and not quiet else lines


def _coverage(report: CheckReport) -> list[RenderableType]:
    """What the verdict is of, and of what it is not."""
    sound = report.error is None and not any(row.problems for row in report.outcomes if row.name == "soundness")
    lines: list[RenderableType] = []
    if report.seen:
        word = labelled("sound" if sound else "seen", visible(", ".join(report.seen)), style="green" if sound else "")
        lines.append(word)
    if report.unseen:
        lines.append(labelled("not seen", visible(", ".join(report.unseen)), style="dim"))
    return lines


def _held(report: CheckReport) -> list[str]:
    """What holds; of the stored tensors and facts that a contract names, dozens each, the most by their number."""
    held = [outcome.name for outcome in report.outcomes if not outcome.problems and outcome.name != "soundness"]
    tensors = [name for name in held if name.startswith("tensor:")]
    if len(tensors) > _MANY_TENSORS:
        held = [*(name for name in held if name not in tensors), f"{len(tensors)} expectations on stored tensors"]
    facts = [name for name in held if "=" in name and name not in tensors and " for " not in name]
    if len(facts) > _MANY_FACTS:
        rest = [name for name in held if name not in facts]
        held = [*facts[:_MANY_FACTS], f"{len(facts) - _MANY_FACTS} more facts", *rest]
    return [visible(name) for name in held]
