"""Verdicts on checkpoints as one page: a section for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertshape.render.page.document import document, fragment
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.check import CheckReport


def check_page(reports: Sequence[CheckReport]) -> str:
    """All reports as a page that stands alone."""
    return document("check", f"bertshape check: {_heading(reports)}", _context(reports))


def check_fragment(report: CheckReport) -> str:
    """One report for a notebook."""
    return fragment("check", _context([report]))


def _heading(reports: Sequence[CheckReport]) -> str:
    return reports[0].name if len(reports) == 1 else counted(len(reports), "checkpoint")


def _context(reports: Sequence[CheckReport]) -> dict[str, Any]:
    passed = sum(report.passed for report in reports)
    return {"reports": reports, "heading": _heading(reports), "passed": passed, "failed": len(reports) - passed}
