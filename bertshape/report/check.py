"""What is to be checked, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError, HubError
from bertshape.report.envelope import envelope, error_details
from bertshape.report.inspect_document import finding_entries
from bertshape.report.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bertshape.contract.expectations import Expectation, Mismatch
    from bertshape.errors import BertshapeError
    from bertshape.report import documents
    from bertshape.report.finding import Finding, Severity
    from bertshape.report.place import Place

Scalar = int | str | None
"""A name or a number of a checkpoint; None where the files do not say it."""


@dataclass(frozen=True)
class Outcome:
    """One thing that was checked: an expectation, a case, or soundness as a whole.

    Attributes:
        name: What was checked, as a person wrote it.
        problems: One line for each thing that is not as expected; empty where it holds.
        place: The line to blame, where files that are here hold it.
        seconds: How long the check took, where that is known for it alone.
        mismatches: The same in parts, for an expectation.
    """

    name: str
    problems: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)
    seconds: float = field(default=0.0, compare=False)
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True)
class Problem:
    """One finding, failed expectation or reason why a checkpoint cannot be read.

    Attributes:
        severity: How grave it is.
        code: Code of the finding or error; `expectation` for what a person expects.
        message: One line.
        hint: What to do next, or empty.
        place: The line to blame, where it is known.
        expectation: The expectation that fails, as a person wrote it; empty for others.
    """

    severity: Severity
    code: str
    message: str
    hint: str
    place: Place | None
    expectation: str = ""


@dataclass(frozen=True, repr=False)
class CheckReport(Shown):
    """What one check found.

    Attributes:
        name: The checkpoint's name.
        summary: Names and numbers of the checkpoint; empty where it cannot be read.
        backbone_tensors: Stored tensors of the backbone.
        stored_tensors: All stored tensors.
        bytes_read: Bytes read of the weight files: their headers alone, unless values were looked at.
        weight_bytes: Size of the weight files.
        findings: What the soundness rules say.
        outcomes: Everything that was checked.
        error: Why the checkpoint cannot be read, where it cannot.
        seen: What soundness was judged by, in words.
        unseen: What was not looked at, in words.
        place: Line of the contract that names it, else its first file.
        places: The line that each finding blames, where files that are here hold it.
        seconds: How long the whole check took.
    """

    name: str
    summary: Mapping[str, Scalar] = field(default_factory=dict)
    backbone_tensors: int | None = None
    stored_tensors: int | None = None
    bytes_read: int | None = None
    weight_bytes: int | None = None
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    error: BertshapeError | None = None
    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)
    places: Mapping[Finding, Place] = field(default_factory=dict, compare=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def passed(self) -> bool:
        """Whether everything is as it should be."""
        return self.error is None and not any(outcome.problems for outcome in self.outcomes)

    def problems(self) -> Iterator[Problem]:
        """What a person should look at, findings first: all that CI systems annotate."""
        if self.error is not None:
            yield Problem("error", self.error.code, self.error.message, self.error.hint, self.place)
        for finding in self.findings:
            text = (finding.message, finding.hint)
            yield Problem(finding.severity, finding.code, *text, self.places.get(finding, self.place))
        for outcome in self.outcomes:
            for problem in outcome.problems if outcome.name != "soundness" else ():
                yield Problem("error", "expectation", problem, "", outcome.place or self.place, outcome.name)

    @property
    def stopped(self) -> str:
        """In words, what came of a checkpoint with an error: a text or an option says nothing of its files."""
        return "cannot be read" if isinstance(self.error, CheckpointError | HubError) else "cannot be checked"

    def brief(self) -> str:
        """The result in one line."""
        if self.error is not None:
            return f"{self.name!r}: {self.stopped} ({self.error.code})"
        failed = sum(bool(outcome.problems) for outcome in self.outcomes)
        return (
            f"{self.name!r}: {f'{failed} of ' if failed else ''}{len(self.outcomes)} {'failed' if failed else 'passed'}"
        )

    def to_dict(self) -> documents.CheckDocument:
        """The JSON document of this checkpoint alone, as plain dicts and lists."""
        return check_document([self])


def check_document(reports: Sequence[CheckReport]) -> documents.CheckDocument:
    """The verdicts on checkpoints as one document; `ok` says whether all pass."""
    return {
        **envelope(ok=all(report.passed for report in reports)),
        "checkpoints": [_checked(report) for report in reports],
    }


def outcomes_of(expectations: Iterable[Expectation], mismatches: Iterable[Mismatch]) -> list[Outcome]:
    """An outcome for each expectation, with the problems that its mismatches name."""
    found: dict[str, list[Mismatch]] = {}
    for mismatch in mismatches:
        found.setdefault(mismatch.expectation, []).append(mismatch)
    outcomes = []
    for item in expectations:
        own = found.get(str(item), [])
        outcomes.append(Outcome(str(item), tuple(one.message for one in own), mismatches=tuple(own)))
    return outcomes


def _checked(report: CheckReport) -> documents.CheckedCheckpoint:
    return {
        "model": report.name,
        "passed": report.passed,
        "error": None if report.error is None else error_details(report.error),
        "facts": dict(report.summary),
        "stored_tensors": report.stored_tensors,
        "backbone_tensors": report.backbone_tensors,
        "bytes_read": report.bytes_read,
        "weight_bytes": report.weight_bytes,
        "looked_at": list(report.seen),
        "not_looked_at": list(report.unseen),
        "findings": finding_entries(report.findings),
        "outcomes": [
            {
                "name": outcome.name,
                "passed": not outcome.problems,
                "problems": list(outcome.problems),
                "mismatches": [
                    {"name": one.name, "operator": one.operator, "expected": one.expected, "actual": one.actual}
                    for one in outcome.mismatches
                ],
            }
            for outcome in report.outcomes
        ],
    }
