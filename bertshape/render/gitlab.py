"""Check reports as a code quality report of GitLab, which a merge request shows at the lines to blame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bertshape.render.ci import fingerprint, name_below, path_below, text_of
from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.check import CheckReport, Problem

_SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}


def render_gitlab(reports: Sequence[CheckReport], root: str) -> str:
    """A list of problems; what no file here holds stands at the first line of the checkpoint's name.

    Args:
        reports: What was checked.
        root: Root of the repository, from which paths are written.
    """
    entries = [_entry(report, problem, root) for report in reports for problem in report.problems()]
    return json.dumps(entries, indent=2) + "\n"


def _entry(report: CheckReport, problem: Problem, root: str) -> dict[str, object]:
    name = name_below(report.name, root)
    place = problem.place
    path, line = (name, 1) if place is None else (visible(path_below(place.file, root)), place.line)
    return {
        "description": f"{name}: {text_of(problem)}",
        "check_name": problem.code,
        "fingerprint": fingerprint(report, problem, root),
        "severity": _SEVERITIES[problem.severity],
        "location": {"path": path, "lines": {"begin": line}},
    }
