"""Check reports for GitHub Actions: annotations, and a table for the step summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.render.check import summary_line
from bertshape.render.escape import visible
from bertshape.render.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.report.check import CheckReport

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def render_annotations(reports: Sequence[CheckReport]) -> str:
    """Workflow commands, a line each: `::error title=...::message`."""
    return "".join(f"{line}\n" for report in reports for line in _annotations(report))


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


def _annotations(report: CheckReport) -> Iterator[str]:
    if report.error is not None:
        yield _command("error", f"{report.name}: {report.error.code}", f"{report.error.message} {report.error.hint}")
    for finding in report.findings:
        title = f"{report.name}: {finding.code}"
        yield _command(_LEVELS[finding.severity], title, f"{finding.message} {finding.hint}".strip())
    for outcome in report.outcomes:
        if outcome.name != "soundness":
            for problem in outcome.problems:
                yield _command("error", f"{report.name}: {outcome.name}", problem)


def _command(level: str, title: str, message: str) -> str:
    """One workflow command; GitHub decodes %25, %0A and %0D everywhere, %3A and %2C in properties."""
    data = visible(message).replace("%", "%25")
    name = visible(title).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{data}"
