"""Check reports as SARIF 2.1.0, which GitHub's code scanning and many editors read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bertshape.render.ci import fingerprint, name_below, path_below, text_of
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.check import CheckReport, Problem
    from bertshape.report.place import Place

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://github.com/bertshape/bertshape"


def render_sarif(reports: Sequence[CheckReport], root: str) -> str:
    """One log with one run.

    Args:
        reports: What was checked.
        root: Root of the repository, from which paths are written.
    """
    found = [(report, problem) for report in reports for problem in report.problems()]
    codes = sorted({problem.code for _, problem in found})
    driver = {
        "name": "bertshape",
        "version": __version__,
        "informationUri": _HOME,
        "rules": [{"id": code, "helpUri": f"{_HOME}/blob/main/docs/check.md"} for code in codes],
    }
    results = [_result(report, problem, codes.index(problem.code), root) for report, problem in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(report: CheckReport, problem: Problem, rule: int, root: str) -> dict[str, Any]:
    name = name_below(report.name, root)
    logical = {"logicalLocations": [{"name": name, "kind": "resource"}]}
    where = {} if problem.place is None else {"physicalLocation": _location(problem.place, root)}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": f"{name}: {text_of(problem)}"},
        "locations": [{**where, **logical}],
        "partialFingerprints": {"bertshape/v1": fingerprint(report, problem, root)},
    }


def _location(place: Place, root: str) -> dict[str, Any]:
    path = path_below(place.file, root)
    uri = quote(path.encode(errors="surrogateescape"))
    absolute = path.startswith("/")
    artifact = {"uri": f"file://{uri}"} if absolute else {"uri": uri, "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact, "region": {"startLine": place.line}}
