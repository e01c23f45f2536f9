"""Check reports as JUnit XML: a test suite for each checkpoint, a test case for everything that was checked.

The elements, their order and their attributes are those that both Apache Ant's schema
(https://github.com/windyroad/JUnit-Schema) and that of Jenkins' xunit plugin (junit-10.xsd) take; `file` of a suite is
in the latter alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from bertshape.render.ci import name_below, path_below, place_text
from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.check import CheckReport, Outcome
    from bertshape.report.place import Place


def render_junit(reports: Sequence[CheckReport], timestamp: str, root: str) -> str:
    """One document.

    Args:
        reports: What was checked.
        timestamp: When, in UTC: `2026-01-31T23:59:59`.
        root: Root of the repository, from which paths are written.
    """
    top = ElementTree.Element("testsuites")
    for number, report in enumerate(reports):
        _add_suite(top, report, number, timestamp, root)
    ElementTree.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(top, encoding="unicode")}\n'


def _add_suite(top: ElementTree.Element, report: CheckReport, number: int, timestamp: str, root: str) -> None:
    errors = int(report.error is not None)
    name = _token(name_below(report.name, root))
    attributes = {
        "name": name,
        "package": "bertshape",
        "id": number,
        "timestamp": timestamp,
        "hostname": "localhost",
        "tests": len(report.outcomes) + errors,
        "failures": sum(bool(outcome.problems) for outcome in report.outcomes),
        "errors": errors,
        "time": _seconds(report.seconds),
    }
    if report.place is not None:
        attributes["file"] = _token(path_below(report.place.file, root))
    suite = ElementTree.SubElement(top, "testsuite", {key: str(value) for key, value in attributes.items()})
    ElementTree.SubElement(suite, "properties")
    if report.error is not None:
        case = _add_case(suite, name, "readable", report.seconds)
        text = "\n".join([visible(report.error.hint), *_at(report.place, root)])
        message = visible(report.error.message)
        ElementTree.SubElement(case, "error", type=report.error.code, message=message).text = text
    for outcome in report.outcomes:
        case = _add_case(suite, name, outcome.name, outcome.seconds)
        if outcome.problems:
            lines = _failure(report, outcome, root)
            message = visible(outcome.problems[0])
            ElementTree.SubElement(case, "failure", type="mismatch", message=message).text = "\n".join(lines)
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")


def _add_case(suite: ElementTree.Element, model: str, name: str, seconds: float) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=model, name=_token(name), time=_seconds(seconds))


def _failure(report: CheckReport, outcome: Outcome, root: str) -> list[str]:
    """What is wrong, a line each with the file and line to blame, which a test case has no attributes for."""
    places = {finding.message: place for finding, place in report.places.items()}
    return [
        " ".join([*_at(places.get(problem, outcome.place), root, ":"), visible(problem)])
        for problem in outcome.problems
    ]


def _at(place: Place | None, root: str, end: str = "") -> list[str]:
    return [] if place is None else [f"{place_text(place, root)}{end}"]


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _token(text: str) -> str:
    """A name as XML takes it: no control characters, which have no place there, and single spaces."""
    return " ".join(visible(text).split()) or "-"
