"""Check reports as JUnit XML: a test suite for each checkpoint, a test case for everything that was checked.

The elements, their order and the required attributes are those of the schema of Apache Ant's JUnit reports, the
strictest of those in use: https://github.com/windyroad/JUnit-Schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.check import CheckReport, Outcome


def render_junit(reports: Sequence[CheckReport], timestamp: str) -> str:
    """One document.

    Args:
        reports: What was checked.
        timestamp: When, in UTC: `2026-01-31T23:59:59`.
    """
    root = ElementTree.Element("testsuites")
    for number, report in enumerate(reports):
        _add_suite(root, report, number, timestamp)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add_suite(root: ElementTree.Element, report: CheckReport, number: int, timestamp: str) -> None:
    errors = int(report.error is not None)
    attributes = {
        "name": _token(report.name),
        "package": "bertshape",
        "id": number,
        "timestamp": timestamp,
        "hostname": "localhost",
        "tests": len(report.outcomes) + errors,
        "failures": sum(bool(outcome.problems) for outcome in report.outcomes),
        "errors": errors,
        "time": 0,
    }
    suite = ElementTree.SubElement(root, "testsuite", {name: str(value) for name, value in attributes.items()})
    ElementTree.SubElement(suite, "properties")
    if report.error is not None:
        case = _add_case(suite, report, "readable")
        message = visible(report.error.message)
        ElementTree.SubElement(case, "error", type=report.error.code, message=message).text = visible(report.error.hint)
    for outcome in report.outcomes:
        _add_failure(_add_case(suite, report, outcome.name), outcome)
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")


def _add_case(suite: ElementTree.Element, report: CheckReport, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_token(report.name), name=_token(name), time="0")


def _add_failure(case: ElementTree.Element, outcome: Outcome) -> None:
    if outcome.problems:
        problems = [visible(problem) for problem in outcome.problems]
        ElementTree.SubElement(case, "failure", type="mismatch", message=problems[0]).text = "\n".join(problems)


def _token(text: str) -> str:
    """A name as XML takes it: no control characters, which have no place there, and single spaces."""
    return " ".join(visible(text).split()) or "-"
