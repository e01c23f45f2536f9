"""A profile as a page: lengths, cuts and padding as charts, each a table as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.render.page.document import document, fragment
from bertshape.render.phrases import sorted_findings
from bertshape.render.profile import basis
from bertshape.report.profile_summary import histogram, summarize
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.report.profile import ProfileReport


@dataclass(frozen=True)
class Step:
    """A step of the histogram: its length is `part` of the longest bar, its number `share` of all texts."""

    span: str
    count: int
    part: float
    share: float


def profile_page(profile: ProfileReport) -> str:
    """A profile as a page that stands alone."""
    return document("profile", f"bertshape profile: {_heading(profile)}", _context(profile))


def profile_fragment(profile: ProfileReport) -> str:
    """The same for a notebook."""
    return fragment("profile", _context(profile))


def _heading(profile: ProfileReport) -> str:
    names = [name for name, _ in profile.files]
    return names[0] if len(names) == 1 else counted(len(names), "file")


def _context(profile: ProfileReport) -> dict[str, Any]:
    summary = summarize(profile)
    steps = histogram(profile.counts.lengths) if profile.counts.lengths else []
    most = max((count for _, _, count in steps), default=1)
    return {
        "profile": profile,
        "summary": summary,
        "heading": _heading(profile),
        # The notes are about lengths, which the charts show.
        "found": sorted_findings(found for found in profile.findings if found.severity != "note")[::-1],
        "steps": [
            Step(str(low) if low == high else f"{low}-{high}", count, count / most, count / summary.texts)
            for low, high, count in steps
        ],
        "basis": basis(profile),
    }
