"""One inspection, in the format that was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from bertshape.cli.console import document_columns
from bertshape.cli.events import CommandEvents
from bertshape.cli.json_output import print_json
from bertshape.cli.pages import page_of
from bertshape.errors import ExitCode
from bertshape.pipelines.inspect import inspect
from bertshape.render.escape import visible
from bertshape.render.markdown import render_markdown
from bertshape.report.inspect_document import inspect_document, record_documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.pipelines.request import InspectionRequest
    from bertshape.report.report import Report


def run_one(request: InspectionRequest, chosen: str, layout: Mapping[str, bool], *, tokens: bool = True) -> int:
    """Inspect, and print the report.

    Args:
        request: What to inspect.
        chosen: `table`, `quiet`, `json`, `jsonl`, `markdown`, `svg` or `html`.
        layout: What `Page` takes besides its columns.
        tokens: Whether texts have the list of their tokens in JSON.

    Returns:
        The exit code.
    """
    if chosen == "table":
        report = _screen().draw_inspection(request, layout)
    else:
        report = inspect(request, CommandEvents())
        if chosen == "json":
            print_json(inspect_document(report, tokens=tokens))
        elif chosen == "jsonl":
            for document in record_documents(report, tokens=tokens):
                print_json(document, line=True)
        else:
            sys.stdout.write(_render(report, chosen, layout))
    return ExitCode.FAILED if report.failed else ExitCode.OK


def _screen() -> Any:
    # Rich takes 40 ms to import, which the other formats do without.
    from bertshape.cli import screen

    return screen


def _render(report: Report, chosen: str, layout: Mapping[str, bool]) -> str:
    if chosen == "markdown":
        return render_markdown(report)
    if chosen == "html":
        return page_of(report, explain=layout["explain"])
    if chosen == "svg":
        return str(_screen().render_svg(report, document_columns(), layout))
    errors = [finding for finding in report.findings if finding.severity == "error"]
    return "".join(f"error {visible(finding.message)}\n" for finding in errors)
