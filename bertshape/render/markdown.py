"""The report as Markdown, for issues and documents: tables of plain text, every foreign cell escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.render.escape import human_bytes, visible
from bertshape.render.phrases import (
    count_label,
    count_line,
    declared_line,
    in_words,
    limits_line,
    model_line,
    sorted_findings,
    weights_line,
)
from bertshape.tokens.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.report.finding import Finding
    from bertshape.report.layer import Layer
    from bertshape.report.report import Report
    from bertshape.tokens.words import Word

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&$@:-])")


def render_markdown(report: Report) -> str:
    """The whole report as one Markdown document."""
    facts = report.checkpoint
    declared = declared_line(facts)
    lines = [model_line(facts), weights_line(report), limits_line(facts), *([declared] if declared else [])]
    blocks = [f"## {escape(facts.model)}", "\n".join(f"- {escape(line)}" for line in lines)]
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
                in_words(token.kind),
            )
            for token in row.tokens
        ]
        header = ("position", "token", "id", "word", "span", "segment", "kind")
        blocks += [f"### {title}", count_line(row), _table(header, cells)]
    if report.words:
        blocks += ["### Words", _words(report)]
    blocks += ["### Outputs", _outputs(report), "### Pooled vectors", _pooled(report)]
    if report.embedding:
        blocks += ["### Sentence embedding", _embedding(report)]
    if report.tasks:
        blocks += ["### Task heads", _tasks(report)]
    if report.layers is not None:
        blocks += ["### Layers", _layers(report.layers)]
    if report.findings:
        blocks += ["### Findings", write_findings(report.findings)]
    return "\n\n".join(blocks) + "\n"


def write_findings(findings: Iterable[Finding]) -> str:
    """A list of findings, the gravest last."""
    ordered = sorted_findings(findings)
    return "\n".join(f"- **{found.severity}** {escape(f'{found.message} {found.hint}'.strip())}" for found in ordered)


def escape(text: str) -> str:
    """Make foreign text literal in Markdown: no markup, no HTML, no mention, no new cell, no control character."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def _outputs(report: Report) -> str:
    rows = []
    for name, output in report.outputs.items():
        shape = output.shape
        label = f"`{name}`" if output.count is None else f"`{name}` ({count_label(output)})"
        about = (shape.dtype, human_bytes(output.bytes), output.evidence)
        sizes = (
            ", ".join(
                f"{index}: `{run.by_size}`{f' {run.dtype}' if output.dtypes else ''}" for index, run in output.runs
            )
            or f"`{shape.by_size}`"
        )
        rows.append((label, sizes, f"`{shape.by_name}`", *about))
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


def _words(report: Report) -> str:
    rows = [
        (
            number,
            word.index,
            escape(word.text),
            escape(" ".join(word.tokens)),
            "" if word.offset is None else _span(word),
        )
        for number, row in enumerate(report.tokenization.rows, start=1)
        for word in words_of(row)
    ]
    return _table(("text", "word", "in the text", "tokens", "span"), rows)


def _span(word: Word) -> str:
    assert word.offset is not None
    return f"{word.offset[0]}-{word.offset[1]}"


def _embedding(report: Report) -> str:
    rows = []
    for step in report.embedding:
        sizes, axes = (
            (f"`{step.shape.by_size}`", f"`{step.shape.by_name}`") if step.shape else ("", escape(step.reason or ""))
        )
        rows.append((escape(step.name), sizes, axes, escape(step.formula), step.evidence if step.shape else ""))
    return _table(("step", "sizes", "axes", "formula", "evidence"), rows)


def _tasks(report: Report) -> str:
    rows = []
    for name, task in report.tasks.items():
        if task.reason is not None:
            rows.append((name, "", "", f"not available: {escape(task.reason)}", "", ""))
        for output, facts in task.outputs.items():
            shape = (f"`{facts.shape.by_size}`", f"`{facts.shape.by_name}`")
            rows.append((name, output, *shape, facts.evidence, in_words(task.head or "not known")))
    return _table(("task", "output", "sizes", "axes", "evidence", "head"), rows)


def _layers(layers: Layer) -> str:
    rows = []
    for path, layer in _paths(layers, ""):
        shape = (f"`{layer.shape.by_size}`", f"`{layer.shape.by_name}`") if layer.shape else ("", "")
        parameters = "" if layer.parameters is None else f"{layer.parameters:,}"
        rows.append((f"`{path}`", layer.copies, escape(layer.kind or ""), *shape, parameters))
    return _table(("part", "copies", "class", "sizes", "axes", "parameters of one"), rows)


def _paths(layer: Layer, above: str) -> Iterator[tuple[str, Layer]]:
    path = f"{above}.{layer.name}" if above else layer.name
    yield path, layer
    for child in layer.children:
        yield from _paths(child, path)


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [_line(header), _line(("---",) * len(header)), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: tuple[object, ...]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
