"""Check reports for GitHub Actions: annotations, and a table for the step summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.render.check import summary_line
from bertshape.render.ci import name_below, path_below, text_of
from bertshape.render.escape import visible
from bertshape.render.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.check import CheckReport, Problem

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def render_annotations(reports: Sequence[CheckReport], root: str) -> str:
    """Workflow commands, a line each: `::error file=...,line=...,title=...::message`.

    Args:
        reports: What was checked.
        root: Root of the repository, from which paths are written.
    """
    return "".join(f"{_command(report, problem, root)}\n" for report in reports for problem in report.problems())


def render_summary(reports: Sequence[CheckReport]) -> str:
    """A Markdown table: what was checked of each checkpoint, and what failed."""
    lines = ["| checkpoint | result | what |", "| --- | --- | --- |"]
    for report in reports:
        name = escape(report.name)
        if report.error is not None:
            lines.append(f"| {name} | failed | {escape(report.error.message)} |")
            continue
        problems = [problem for outcome in report.outcomes for problem in outcome.problems]
        lines += [f"| {name} | failed | {escape(problem)} |" for problem in problems]
        if not problems:
            lines.append(f"| {name} | passed | {escape(summary_line(report))} |")
    return "\n".join(lines) + "\n"


def _command(report: CheckReport, problem: Problem, root: str) -> str:
    """One workflow command; GitHub decodes %25, %0A and %0D everywhere, %3A and %2C in properties."""
    title = f"{name_below(report.name, root)}: {problem.expectation or problem.code}"
    properties = {"title": title}
    if problem.place is not None:
        properties = {"file": path_below(problem.place.file, root), "line": str(problem.place.line), **properties}
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_LEVELS[problem.severity]} {written}::{text_of(problem).replace('%', '%25')}"


def _property(value: str) -> str:
    return visible(value).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
