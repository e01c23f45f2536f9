"""The report as Rich renderables, for a given number of columns. Foreign text is `Text`, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from bertshape.pooling.strategy import Strategy
    from bertshape.report.finding import Finding
    from bertshape.report.report import Evidence, OutputFacts, PooledFacts, Report
    from bertshape.shapes import TensorShape
    from bertshape.tokens.batch import Row, Token

WIDE = 156
"""Columns from which every row fits one line."""
NARROW = 64
"""Columns below which a shape's names go under its sizes."""
_SHORT_HEADERS = {"position": "pos", "segment": "seg"}
_FOLD_ABOVE, _FOLD_KEEP = 40, 15
_EVIDENCE_STYLE = {"observed": "green", "predicted": "yellow"}
_SEVERITY_STYLE = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_KIND_STYLE = {"special": "magenta", "unknown": "red", "padding": "dim"}


def render_head(report: Report) -> RenderableType:
    """What was inspected: the checkpoint in a few lines."""
    facts = report.checkpoint
    revision = f" @ {visible(facts.revision)[:12]}" if facts.revision else ""
    lines = [
        Text.assemble((visible(facts.model), "bold"), (revision, "dim")),
        Text(model_line(facts)),
        Text(weights_line(report)),
        Text(limits_line(facts)),
    ]
    declared = declared_line(facts)
    return Group(*lines, *([Text(declared)] if declared else []), Text())


def render_tokens(report: Report, columns: int, *, all_tokens: bool = False) -> RenderableType:
    """One table for each text."""
    rows = report.tokenization.rows
    parts: list[RenderableType] = []
    for number, row in enumerate(rows, start=1):
        title = Text("Tokens" if len(rows) == 1 else f"Tokens of text {number}", style="bold")
        title.append(f"  {count_line(row)}", style="not bold")
        parts += [*([Text()] if number > 1 else []), title]
        parts.append(_token_table(row, columns, report.has_token_types, all_tokens=all_tokens))
    return Group(*parts)


def render_outputs(report: Report, columns: int, *, hidden_states: bool = False) -> RenderableType:
    """The outputs of the model, each with names and sizes of its axes."""
    table = _table(columns, "output", "sizes", "axes", "dtype", "bytes", "evidence")
    for name, output in report.outputs.items():
        about = f"{output.shape.dtype}, {human_bytes(output.bytes)}"
        if columns >= WIDE:
            named = (sizes_text(output.shape), Text(output.shape.by_name))
            table.add_row(name, *named, output.shape.dtype, human_bytes(output.bytes), evidence_text(output.evidence))
        else:
            table.add_row(_name_cell(name, output, declared=False), _detail(output.shape, about, columns))
        if output.count is not None:
            _add_aside(table, columns, count_label(output))
        for label in output.labels if hidden_states and name == "hidden_states" else ():
            _add_aside(table, columns, f"{label}  {output.shape.by_size}")
    return Group(Text("Outputs", style="bold"), table)


def render_pooled(report: Report, columns: int, *, star: str = "*") -> RenderableType:
    """The vector of every pooling strategy; the declared one has a star."""
    table = _table(columns, "strategy", "sizes", "axes", "formula", "over", "evidence")
    for name, pooled in report.pooled.items():
        label = f"{star} {name}" if pooled.declared else f"  {name}"
        if pooled.shape is None:
            _add_unavailable(table, columns, label, pooled)
        elif columns >= WIDE:
            names = [Text(pooled.shape.by_name), Text(pooled.formula), Text(pooled.over)]
            table.add_row(Text(label), sizes_text(pooled.shape), *names, evidence_text(pooled.evidence))
        else:
            cell = _name_cell(label, pooled, declared=pooled.declared)
            table.add_row(cell, _detail(pooled.shape, f"{pooled.formula}; {pooled.over}", columns))
    title = Text("Pooled vectors", style="bold")
    if any(pooled.declared for pooled in report.pooled.values()):
        title.append(f"  {star} declared by the checkpoint", style="not bold")
    return Group(title, table)


def render_findings(findings: Iterable[Finding]) -> RenderableType:
    """Findings, the gravest last; nothing where there are none."""
    lines: list[RenderableType] = []
    for finding in sorted_findings(findings):
        line = Text.assemble((finding.severity, _SEVERITY_STYLE[finding.severity]), f" {visible(finding.message)}")
        lines.append(line)
        if finding.hint:
            lines.append(Padding(Text(visible(finding.hint), style="dim"), (0, 0, 0, 2)))
    return Group(*([Text("Findings", style="bold"), *lines] if lines else []))


def render_poolings(strategies: Iterable[Strategy], columns: int) -> RenderableType:
    """The table of strategies, without any checkpoint."""
    table = _table(columns, "strategy", "axes", "formula", "over", "source")
    for strategy in strategies:
        axes = " x ".join(strategy.axes)
        if columns >= WIDE:
            table.add_row(strategy.name, axes, strategy.formula, strategy.over(), strategy.source)
        else:
            lines = Text("\n").join(
                [Text(axes), Text(f"{strategy.formula}; {strategy.over()}"), Text(strategy.source, "dim")]
            )
            table.add_row(strategy.name, lines)
    return table


def _table(columns: int, *headers: str) -> Table:
    """A table of all columns where there is room, else of names and a cell of lines."""
    wide = columns >= WIDE
    table = Table(box=None, show_header=wide, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for header in headers if wide else headers[:2]:
        no_wrap = header not in ("over", "source") if wide else header == headers[0]
        table.add_column(header, overflow="fold", no_wrap=no_wrap)
    return table


def _token_table(row: Row, columns: int, has_token_types: bool, *, all_tokens: bool) -> Table:
    narrow = columns < NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0), header_style="dim")
    for header in ("position", "token", "id", "word", "span", "segment", "kind"):
        number = header not in ("token", "kind")
        short = _SHORT_HEADERS.get(header, header) if narrow else header
        table.add_column(short, justify="right" if number else "left", overflow="fold", no_wrap=number)
    tokens = row.tokens
    folded = len(tokens) - 2 * _FOLD_KEEP if len(tokens) > _FOLD_ABOVE and not all_tokens else 0
    for token in tokens[:_FOLD_KEEP] if folded else tokens:
        table.add_row(*_token_cells(token, has_token_types))
    if folded:
        table.add_row("...", Text(f"{folded} more", style="dim"))
        for token in tokens[-_FOLD_KEEP:]:
            table.add_row(*_token_cells(token, has_token_types))
    return table


def _token_cells(token: Token, has_token_types: bool) -> tuple[RenderableType, ...]:
    span = "-" if token.offset is None else f"{token.offset[0]}-{token.offset[1]}"
    return (
        str(token.position),
        Text(visible(token.token), style=_KIND_STYLE.get(token.kind, "")),
        str(token.input_id),
        "-" if token.word_id is None else str(token.word_id),
        span,
        str(token.token_type_id) if has_token_types else "-",
        Text(in_words(token.kind), style=_KIND_STYLE.get(token.kind, "")),
    )


def sizes_text(shape: TensorShape) -> Text:
    """The sizes as torch prints them, in bold."""
    return Text(shape.by_size, style="bold")


def evidence_text(evidence: Evidence) -> Text:
    """Whether a shape was observed, in its colour."""
    return Text(evidence, style=_EVIDENCE_STYLE[evidence])


def _name_cell(label: str, facts: OutputFacts | PooledFacts, *, declared: bool) -> Text:
    name = Text(label, style="bold" if declared else "")
    return name.append("\n  ", style="").append_text(evidence_text(facts.evidence))


def _detail(shape: TensorShape, about: str, columns: int) -> Text:
    """Sizes and names of a shape, then what is said of it; the names go below where they would not fit."""
    between = "  " if columns >= NARROW and len(shape.by_size) + len(shape.by_name) + 2 <= columns - 23 else "\n"
    return Text.assemble((shape.by_size, "bold"), between, shape.by_name, "\n", (about, "dim"))


def _add_unavailable(table: Table, columns: int, label: str, pooled: PooledFacts) -> None:
    reason = pooled.reason or ""
    cells = ("-", reason, pooled.formula, "-", "unavailable") if columns >= WIDE else (f"unavailable: {reason}",)
    table.add_row(Text(label, style="dim"), *(Text(cell, style="dim") for cell in cells))


def _add_aside(table: Table, columns: int, text: str) -> None:
    """A line under a row, in the column of the axes."""
    table.add_row("", *([""] if columns >= WIDE else []), Text(text, style="dim"))
