"""The report as Markdown, for issues and documents: tables of plain text, every foreign cell escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.rendering.escape import human_bytes, visible
from bertshape.rendering.words import (
    count_label,
    count_line,
    declared_line,
    limits_line,
    model_line,
    sorted_findings,
    weights_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.report import Report

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&$@:-])")


def render_markdown(report: Report) -> str:
    """The whole report as one Markdown document."""
    facts = report.checkpoint
    declared = declared_line(facts)
    lines = [model_line(facts), weights_line(report), limits_line(facts), *([declared] if declared else [])]
    blocks = [f"## {escape(facts.name_or_path)}", "\n".join(f"- {escape(line)}" for line in lines)]
    rows = report.tokenization.rows
    for number, row in enumerate(rows, start=1):
        title = "Tokens" if len(rows) == 1 else f"Tokens of text {number}"
        cells = [
            (
                token.position,
                escape(token.token),
                token.input_id,
                "" if token.word_id is None else token.word_id,
                "" if token.offset is None else f"{token.offset[0]}-{token.offset[1]}",
                token.token_type_id if report.has_token_types else "",
                token.kind,
            )
            for token in row.tokens
        ]
        header = ("position", "token", "id", "word", "span", "segment", "kind")
        blocks += [f"### {title}", count_line(row), _table(header, cells)]
    blocks += ["### Outputs", _outputs(report), "### Pooled vectors", _pooled(report)]
    if report.findings:
        findings = sorted_findings(report.findings)
        lines = [f"- **{found.severity}** {escape(f'{found.message} {found.hint}'.strip())}" for found in findings]
        blocks += ["### Findings", "\n".join(lines)]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Make foreign text literal in Markdown: no markup, no HTML, no mention, no new cell, no control character."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def _outputs(report: Report) -> str:
    rows = []
    for name, output in report.outputs.items():
        shape = output.shape
        label = f"`{name}`" if output.count is None else f"`{name}` ({count_label(output)})"
        about = (shape.dtype, human_bytes(output.bytes), output.evidence)
        rows.append((label, f"`{shape.by_size}`", f"`{shape.by_name}`", *about))
    return _table(("output", "sizes", "axes", "dtype", "bytes", "evidence"), rows)


def _pooled(report: Report) -> str:
    rows = []
    for name, pooled in report.pooled.items():
        label = f"**{escape(name)}** (declared)" if pooled.declared else escape(name)
        formula = f"`{pooled.formula}`"
        if pooled.shape is None:
            rows.append((label, "", f"not available: {escape(pooled.reason or '')}", formula, pooled.over, ""))
        else:
            shape = (f"`{pooled.shape.by_size}`", f"`{pooled.shape.by_name}`")
            rows.append((label, *shape, formula, pooled.over, pooled.evidence))
    return _table(("strategy", "sizes", "axes", "formula", "over", "evidence"), rows)


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [_line(header), _line(("---",) * len(header)), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: tuple[object, ...]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
