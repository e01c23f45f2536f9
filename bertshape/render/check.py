"""Check reports and comparisons for people: plain lines, a styled word at the beginning of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bertshape.render.escape import human_bytes, visible
from bertshape.render.phrases import sorted_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.pipelines.diff import Change, Comparison
    from bertshape.report.check import CheckReport

_MANY_TENSORS = 5
_WORD_WIDTH = 10
_STYLE = {"error": "bold red", "warning": "yellow", "note": "cyan", "ok": "green", "FAIL": "bold red"}


def render_checks(reports: Sequence[CheckReport], *, quiet: bool = False) -> RenderableType:
    """All reports; with `quiet` those that fail, and of them the lines that fail."""
    shown = [report for report in reports if not (quiet and report.passed)]
    parts: list[RenderableType] = []
    for index, report in enumerate(shown):
        parts += [*([Text()] if index else []), *_report_lines(report, quiet=quiet)]
    if not quiet:
        failed = sum(not report.passed for report in reports)
        count = f"{len(reports)} checkpoint{'s' * (len(reports) > 1)}"
        parts.append(Text(f"\n{count}: {failed} failed" if failed else f"\n{count}: all passed", style="bold"))
    return Group(*parts)


def render_comparison(comparison: Comparison) -> RenderableType:
    """What differs: meaning first, in a few lines, then tensors."""
    if comparison.same:
        return Text(f"{visible(comparison.before)} and {visible(comparison.after)} do not differ")
    lines: list[RenderableType] = [Text(f"{visible(comparison.before)} -> {visible(comparison.after)}", style="bold")]
    differing = [change for change in comparison.scalars if change.differs]
    if differing:
        lines.append(_line("differ", ", ".join(map(_arrow, differing)), "yellow"))
    equal = [f"{change.name} {visible(str(change.before))}" for change in comparison.scalars if not change.differs]
    if equal:
        lines.append(_line("equal", ", ".join(equal), "green"))
    tokenizer = _tokenizer_line(comparison)
    if tokenizer:
        lines.append(
            _line(
                "tokens",
                tokenizer,
                "yellow" if comparison.tokens_differing or comparison.tokenizer_differs else "green",
            )
        )
    if comparison.tensors:
        count = f"{len(comparison.tensors)} kinds of tensor differ, {comparison.same_tensors} tensors are equal"
        lines += [_line("tensors", count, "yellow"), Text()]
        lines += [Text(f"  {_arrow(change)}") for change in comparison.tensors]
    return Group(*lines)


def _report_lines(report: CheckReport, *, quiet: bool) -> list[RenderableType]:
    lines: list[RenderableType] = [Text(visible(report.name), style="bold")]
    if report.error is not None:
        lines.append(_line("error", report.error.message))
        return [*lines, *_hint(report.error.hint)]
    if not quiet:
        lines.append(Padding(Text(summary_line(report)), (0, 0, 0, 2)))
    for finding in sorted_findings(report.findings):
        if finding.severity == "error" or not quiet:
            lines += [_line(finding.severity, finding.message), *_hint(finding.hint)]
    for outcome in report.outcomes:
        if outcome.name != "soundness":  # each of its problems is a finding above
            lines += [_line("FAIL", problem) for problem in outcome.problems]
    return [*lines, *([] if quiet else _passed_lines(report))]


def _passed_lines(report: CheckReport) -> list[RenderableType]:
    """What holds; stored tensors, of which a contract names dozens, in one line."""
    passed = [outcome.name for outcome in report.outcomes if not outcome.problems]
    tensors = [name for name in passed if name.startswith("tensor:")]
    if len(tensors) > _MANY_TENSORS:
        passed = [name for name in passed if name not in tensors]
        passed.append(f"{len(tensors)} expectations on stored tensors")
    return [_line("ok", name) for name in passed]


def summary_line(report: CheckReport) -> str:
    """The checkpoint in one line: family, sizes, tensors, bytes."""
    facts = report.summary
    parts = [
        f"{visible(str(facts['model_type']))}: {facts['num_hidden_layers']} layers, hidden_size {facts['hidden_size']}"
    ]
    if report.backbone_tensors is not None:
        parts.append(f"{report.backbone_tensors} backbone tensors of {report.stored_tensors} stored")
    if report.bytes_read is not None and report.weight_bytes is not None:
        parts.append(f"{human_bytes(report.bytes_read)} read of {human_bytes(report.weight_bytes)}")
    return ", ".join(parts)


def _tokenizer_line(comparison: Comparison) -> str:
    parts = []
    differing = comparison.tokens_differing
    if differing is not None:
        parts.append(f"{differing or 'no'} token{'s' * (differing != 1)} differ{'s' * (differing == 1)}")
    if comparison.tokenizer_differs:
        # Equal tokens do not make equal tokenizers: one may lower letters, or cut elsewhere.
        parts.append("the tokenizer files differ")
    elif comparison.tokenizer_differs is False and not parts:
        parts.append("the tokenizer files are equal")
    return ", ".join(parts)


def _arrow(change: Change) -> str:
    before, after = ("nothing" if value is None else visible(str(value)) for value in (change.before, change.after))
    return f"{visible(change.name)} {before} -> {after}"


def _line(word: str, text: str, style: str | None = None) -> RenderableType:
    """A word and a text beside it, which stays in its column where it takes several lines."""
    line = Table.grid()
    line.add_column(width=_WORD_WIDTH, no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(Text.assemble("  ", (word, style or _STYLE[word])), Text(visible(text)))
    return line


def _hint(hint: str) -> list[RenderableType]:
    return [Padding(Text(visible(hint), style="dim"), (0, 0, 0, _WORD_WIDTH))] if hint else []
