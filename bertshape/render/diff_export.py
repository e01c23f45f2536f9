"""Two checkpoints as one table for programs (CSV), or for documents (Markdown)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from bertshape.render.escape import visible
from bertshape.render.markdown import escape
from bertshape.render.phrases import sorted_findings
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.pipelines.diff import Comparison

_COLUMNS = ("kind", "name", "before", "after", "differs")
Row = tuple[str, str, object, object, bool]


def render_comparison_csv(comparison: Comparison) -> str:
    """Every fact, equal or not, and every tensor that differs; a value that a side lacks is an empty cell."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for kind, name, before, after, differs in (*_rows(comparison), *_findings(comparison)):
        table.writerow((kind, visible(name), _cell(before), _cell(after), "true" if differs else "false"))
    return text.getvalue()


def render_comparison_markdown(comparison: Comparison) -> str:
    """What differs as a Markdown table, every foreign cell escaped, and below it what is equal."""
    before, after = escape(comparison.before), escape(comparison.after)
    rows = [row for row in _rows(comparison) if not (comparison.lacking and row[0] == "tensor")]
    lines = [f"## {before} and {after}", ""]
    if comparison.same:
        lines += ["They do not differ.", ""]
    else:
        lines += ["| | field | A | B |", "| --- | --- | --- | --- |"]
        cells = (
            (kind, escape(name), escape(_cell(a)), escape(_cell(b))) for kind, name, a, b, differs in rows if differs
        )
        lines += [*(f"| {' | '.join(row)} |" for row in cells), ""]
    for letter, findings in zip("AB", comparison.findings, strict=True):
        grave = [row for row in sorted_findings(findings) if row.severity != "note"]
        lines += [f"- **{row.severity} {letter}**: {escape(row.message)} {escape(row.hint)}".rstrip() for row in grave]
    lines += [""] * (lines[-1] != "")
    equal = [f"{escape(name)} {escape(_cell(b if a is None else a))}" for _, name, a, b, differs in rows if not differs]
    if comparison.same_tensors:
        equal.append(counted(comparison.same_tensors, "tensor"))
    return "\n".join([*lines, *([f"Equal: {', '.join(equal)}", ""] if equal else [])])


def _rows(comparison: Comparison) -> Iterator[Row]:
    for kind, changes in (("fact", comparison.scalars), ("tensor", comparison.tensors)):
        for change in changes:
            yield kind, change.name, change.before, change.after, change.differs
    if comparison.lacking:
        yield "weights", "weights", None, comparison.lacking, True
    if comparison.tokens_differing:
        yield "tokenizer", "tokens that differ", None, comparison.tokens_differing, True
    if comparison.tokenizer_differs:
        yield "tokenizer", "files", None, "differ", True
    for name in comparison.values_differing or ():
        yield "values", name, None, "other numbers", True
    for text in comparison.texts:
        yield "text", text.text, len(text.before.input_ids), len(text.after.input_ids), not text.same
    if comparison.drift is not None:
        drift, (before, after) = comparison.drift, comparison.drift.lengths
        yield "drift", "texts that change", None, f"{drift.changed} of {drift.texts}", bool(drift.changed)
        yield "drift", "texts of other ids", None, f"{drift.retokenized} of {drift.texts}", bool(drift.retokenized)
        yield "drift", "tokens", before, after, before != after
        if drift.cosines is not None:
            yield "drift", "least cosine", None, f"{drift.cosines.least:.6f}", bool(drift.cosines.changed)


def _findings(comparison: Comparison) -> Iterator[Row]:
    """What `check` says of each side: its message under the side, and whether the other has none of that code."""
    codes = [{row.code for row in findings} for findings in comparison.findings]
    for side, findings in enumerate(comparison.findings):
        for row in sorted_findings(findings):
            cells = (row.message, None) if side == 0 else (None, row.message)
            yield row.severity, row.code, *cells, row.code not in codes[1 - side]


def _cell(value: object) -> str:
    return "" if value is None else visible(str(value))
