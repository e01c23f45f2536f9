"""Findings that need no weights: truncation, padding, length limits, empty texts, random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.report.finding import Finding
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.report.report import Report


def notes(report: Report) -> list[Finding]:
    """Findings on a predicted report that need no weights."""
    return [*_weights(report), *_texts(report), *_padding(report), *_limits(report)]


def random_weights(source: str) -> Finding:
    """The finding that random weights run.

    Args:
        source: What kind of place the checkpoint is in.
    """
    why = "the embedded checkpoint has no trained ones" if source == "embedded" else "as asked"
    message = f"the weights are random (seeded), {why}: shapes are exact, numbers mean nothing"
    return Finding("random-weights", "note", message, "Pass --model FOLDER or a Hub id to run trained weights.")


def _weights(report: Report) -> Iterator[Finding]:
    if report.checkpoint.weights == "random":
        yield random_weights(report.checkpoint.source)


def _texts(report: Report) -> Iterator[Finding]:
    rows = report.tokenization.rows
    for number, row in enumerate(rows, start=1):
        which = f"text {number}" if len(rows) > 1 else "the text"
        if row.content == 0:
            yield Finding(
                "no-content",
                "note",
                f"{which} has no content: only special tokens remain, and mean_no_special gives zeros",
            )
        if row.truncated:
            limit = report.tokenization.max_length
            message = f"{counted(row.truncated, 'token')} of {which} cut away to fit {limit}"
            yield Finding("truncated", "warning", message, "Pass a larger --max-length, or a shorter text.")


def _padding(report: Report) -> Iterator[Finding]:
    row = report.pooled.get("mean_unmasked")
    if report.tokenization.padded and row is not None and row.shape and report.checkpoint.weights == "none":
        yield Finding(
            "mean-unmasked-differs",
            "warning",
            "mean_unmasked averages padding too",
            "Use mean, which leaves padding out.",
        )


def _limits(report: Report) -> Iterator[Finding]:
    """Other tools cut where this one does not: say at which length, and whose limit it is."""
    limits = report.checkpoint.length_limits
    longest = max(len(row.tokens) - row.padding for row in report.tokenization.rows)
    exceeded = {where: limit for where, limit in limits.items() if limit is not None and longest > limit}
    for where, limit in exceeded.items():
        if where != "effective":
            message = f"{counted(longest, 'token')} exceed {where} = {limit}: a tool that obeys it would cut this text"
            yield Finding("length-limit-exceeded", "warning", message, f"Pass --max-length {limit} to do the same.")
