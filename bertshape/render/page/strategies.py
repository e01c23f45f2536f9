"""The table of strategies: what each gives, which tokens it reads, and what the flow shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.render.page.flow import Node, pooled_node
from bertshape.render.page.reads import SHOWN_TEXTS, bars, runs
from bertshape.render.reads import shown_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.render.page.reads import ReadBar
    from bertshape.report.report import PooledFacts, Report

_WIDE, _NARROW = 9, 3
_MANY = 24
"""With more tokens than these, bars are narrow."""


@dataclass(frozen=True)
class StrategyRow:
    """A row of the table.

    Attributes:
        name: The strategy.
        pooled: What is known of it.
        reads: Weights of all tokens of all texts, as the script takes them.
        bars: The same drawn, for some texts.
        step: Pixels of one bar.
        node: What stands in the flow while the row is looked at.
    """

    name: str
    pooled: PooledFacts
    reads: str
    bars: Sequence[Sequence[ReadBar]]
    step: int
    node: Node


def strategy_rows(report: Report, colours: Sequence[Sequence[str]]) -> list[StrategyRow]:
    """Every strategy that gives something, the declared one first.

    Args:
        report: The report.
        colours: Class of each token of each text.
    """
    return sorted(_rows(report, colours), key=lambda row: not row.pooled.declared)


def unavailable(report: Report) -> list[tuple[str, list[str]]]:
    """Strategies that give nothing here, by the reason."""
    reasons: dict[str, list[str]] = {}
    for name, pooled in report.pooled.items():
        if pooled.shape is None:
            reasons.setdefault(pooled.reason or "not known", []).append(name)
    return list(reasons.items())


def common_axes(rows: Sequence[StrategyRow]) -> tuple[str, ...]:
    """The axes of most rows, which are said once; none where each has its own."""
    axes = [row.pooled.shape.axes for row in rows if row.pooled.shape is not None]
    common = max(axes, key=axes.count, default=())
    return common if axes.count(common) > 1 else ()


def _rows(report: Report, colours: Sequence[Sequence[str]]) -> Iterator[StrategyRow]:
    texts = report.tokenization.rows
    reads = [report.reads(number) for number in range(len(texts))]
    drawn = range(len(texts)) if len(texts) <= SHOWN_TEXTS else [shown_text(texts)]
    step = _WIDE if report.tokenization.sequence_length <= _MANY else _NARROW
    for name, pooled in report.pooled.items():
        if pooled.shape is None:
            continue
        weights = [text[name] for text in reads]
        drawn_bars = [bars(weights[number], colours[number]) for number in drawn]
        yield StrategyRow(name, pooled, runs(weights), drawn_bars, step, pooled_node(report, name, pooled))
