"""The parts of a report as tables: the checkpoint, its outputs, its pooled vectors."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import human_bytes, visible
from bertshape.render.phrases import count_label, in_words, limits_line, model_facts
from bertshape.render.reads import LEAST, Bar, shown_text
from bertshape.render.tables import UNICODE, Cell, Column, Grid, Section, Signs, flow, title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.report.report import Evidence, OutputFacts, PooledFacts, Report
    from bertshape.report.statistics import Statistics
    from bertshape.shapes import TensorShape

_EVIDENCE_STYLE = {"observed": "green", "predicted": "yellow", "same_shape_observed": "green", "from_headers": "yellow"}
_DECLARED = "bold cyan"
_OUTPUT_COLUMNS = (Column("output"), Column("shape"), Column("axes", folds=30), Column("bytes", right=True, drop=2))
_NUMBERS = Column("mean, std, [least, greatest]")


def head(report: Report, columns: int, signs: Signs = UNICODE) -> list[Text]:
    """What was inspected: the checkpoint in two lines, or in three where its name is long."""
    facts = report.checkpoint
    revision = f" @ {visible(facts.revision)[:12]}" if facts.revision else ""
    name = Text.assemble((visible(facts.model), "bold"), (revision, "dim"))
    about = list(map(Text, model_facts(facts)))
    line = Text.assemble(name, "   ", Text(signs.between).join(about))
    lines = [line] if line.cell_len <= columns else [name, *flow(about, columns, signs.between)]
    return [*lines, Text(limits_line(facts))]


def output_section(report: Report, *, hidden_states: bool = False, signs: Signs = UNICODE) -> Section:
    """The outputs of the model.

    Args:
        report: The report.
        hidden_states: Whether every hidden state has a row.
        signs: Characters that the terminal has.
    """
    common, dtype = _common_evidence(report.outputs.values()), _common_dtype(report)
    rows: list[tuple[Cell, ...]] = []
    for name, output in report.outputs.items():
        about = [Text(output.shape.by_name if output.count is None else count_label(output, signs.dots))]
        if output.count is not None and len(output.shape.axes) != 3:
            about.append(Text(output.shape.by_name))
        if name == "pooler_output" and report.checkpoint.weights == "checkpoint" and report.checkpoint.pooler:
            about.append(Text(f"pooler {report.checkpoint.pooler}"))
        about += _differing(output, common, dtype)
        if output.statistics is not None:
            counted = [] if output.count is None else [Text(f"{output.count} tensors")]
            about = [*counted, numbers_text(output.statistics, signs)]
        cell = Text(signs.between).join(about)
        rows.append((Text(visible(name)), sizes_text(output.shape), cell, Text(human_bytes(output.bytes))))
        for index, shape in output.runs:
            own = Text(shape.dtype if output.dtypes else "")
            rows.append((Text(f"  {index}"), sizes_text(shape), own, Text(human_bytes(shape.bytes))))
        if output.runs:
            continue
        shown = output.labels if hidden_states and name == "hidden_states" else ()
        for label, numbers in zip_longest(shown, output.statistics_of_each[: len(shown)]):
            about_it = Text(output.shape.by_name) if numbers is None else numbers_text(numbers, signs)
            rows.append((Text(f"  {label}"), sizes_text(output.shape), about_it, Text()))
    columns = _OUTPUT_COLUMNS
    if any(output.statistics for output in report.outputs.values()):
        columns = (*columns[:2], _NUMBERS, columns[3])
    return Section(title("Outputs", _ran(report, common, dtype)), Grid(columns, rows))


def numbers_text(numbers: Statistics, signs: Signs) -> Text:
    """Mean and standard deviation, least and greatest, and how many are zero or not finite, on one line."""
    found = (numbers.mean, numbers.std, numbers.least, numbers.greatest)
    mean, std, least, greatest = ("?" if number is None else f"{number:.3g}" for number in found)
    parts = [Text(f"{mean} {'±' if signs.unicode else '+-'} {std} [{least}, {greatest}]")]
    parts += [Text(f"{numbers.zeros:,} zero")] if numbers.zeros else []
    parts += [Text(f"{numbers.not_finite:,} NaN or infinite", style="red")] if numbers.not_finite else []
    return Text(signs.between).join(parts)


def pooled_section(report: Report, *, signs: Signs = UNICODE) -> Section:
    """The vector of every pooling strategy with the tokens that it reads; the declared one has a star."""
    available = {name: pooled for name, pooled in report.pooled.items() if pooled.shape is not None}
    texts = report.tokenization.rows
    text = shown_text(texts)
    kinds = [token.kind for token in texts[text].tokens]
    reads = report.reads(text)
    common = _common_evidence(available.values())
    axes = _common_axes(available.values())
    starred = any(pooled.declared for pooled in available.values())
    counted = any(pooled.statistics for pooled in available.values())
    columns = (
        Column("  strategy" if starred else "strategy"),
        Column("shape"),
        _NUMBERS if counted else Column("formula", drop=1),
        Column("reads" if len(texts) == 1 else f"text {text + 1} reads", least=LEAST, drop=3 if counted else 0),
        Column("axes", drop=2),
        Column("evidence"),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, pooled in available.items():
        assert pooled.shape is not None
        mark = f"{signs.star} " if pooled.declared else "  "
        rows.append(
            (
                Text(f"{mark if starred else ''}{name}", style=_DECLARED if pooled.declared else ""),
                sizes_text(pooled.shape),
                Text(pooled.formula) if pooled.statistics is None else numbers_text(pooled.statistics, signs),
                Bar(reads[name], kinds, signs),
                Text() if pooled.shape.axes == axes else Text(pooled.shape.by_name),
                Text() if pooled.evidence == common else evidence_text(pooled.evidence),
            )
        )
    facts = [evidence_text(common)] if available else []
    if len(available) > 1:
        facts.append(Text(f"{' x '.join(axes)} unless said"))
    if starred:
        facts.append(Text(f"{signs.star} declared", style="cyan"))
    return Section(title("Pooled vectors", *facts), Grid(columns, rows), tuple(_unavailable(report)))


def sizes_text(shape: TensorShape) -> Text:
    """The sizes as torch prints them, in bold."""
    return Text(shape.by_size, style="bold")


def evidence_text(evidence: Evidence) -> Text:
    """Whether a shape was observed, in its colour."""
    return Text(in_words(evidence), style=_EVIDENCE_STYLE[evidence])


def ran_text(report: Report, evidence: Evidence) -> Text:
    """How shapes are known: `observed on cpu, float32`, or `predicted, float32`."""
    return _ran(report, evidence, _common_dtype(report))


def _ran(report: Report, evidence: Evidence, dtype: str) -> Text:
    where = f" on {report.run.device}" if report.run.executed else ""
    return evidence_text(evidence).append(f"{where}, {dtype}", style="default")


def _differing(output: OutputFacts, common: Evidence, dtype: str) -> list[Text]:
    """What a row says for itself, because the title says otherwise."""
    parts = [Text(output.shape.dtype)] if output.shape.dtype != dtype else []
    return parts if output.evidence == common else [*parts, evidence_text(output.evidence)]


def _common_evidence(rows: Iterable[OutputFacts | PooledFacts]) -> Evidence:
    """What most rows are; a run shows nearly all."""
    found = [row.evidence for row in rows]
    return "observed" if "observed" in found else found[0] if found else "predicted"


def _common_dtype(report: Report) -> str:
    dtypes = [output.shape.dtype for output in report.outputs.values()]
    return max(dtypes, key=dtypes.count) if dtypes else report.checkpoint.dtype


def _common_axes(rows: Iterable[PooledFacts]) -> tuple[str, ...]:
    axes = [pooled.shape.axes for pooled in rows if pooled.shape is not None]
    return max(axes, key=axes.count) if axes else ()


def _unavailable(report: Report) -> list[Text]:
    """Strategies that give nothing here, those with one reason in one line."""
    reasons: dict[str, list[str]] = {}
    for name, pooled in report.pooled.items():
        if pooled.shape is None:
            reasons.setdefault(pooled.reason or "not known", []).append(name)
    return [
        Text(f"not available: {', '.join(names)} ({visible(reason)})", style="dim") for reason, names in reasons.items()
    ]
