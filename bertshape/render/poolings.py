"""The table of pooling strategies, without any checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.pooling.reads import Positions
from bertshape.render.reads import Bar
from bertshape.render.tables import UNICODE, Cell, Column, Grid, Signs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from bertshape.pooling.strategy import Strategy
    from bertshape.tokens.batch import Kind

_COLUMNS = (
    Column("strategy"),
    Column("size"),
    Column("formula"),
    Column("reads"),
    Column("source", right=True),
    Column("over", drop=2),
)
_LEGEND = (
    "h is the vector of a token, m its attention mask, c 1 for content alone, t its position from 1, L the number of "
    "layers. The bars show which tokens are read of [CLS] three words [SEP] and two of padding; the second word is "
    "two tokens."
)
_EXAMPLE = Positions((1, 1, 1, 1, 1, 1, 0, 0), (1, 0, 0, 0, 0, 1, 1, 1), (-1, 0, 1, 1, 2, -1, -1, -1))
_KINDS: tuple[Kind, ...] = (
    "special", "word_start", "word_start", "continuation", "word_start", "special", "padding", "padding",
)  # fmt: skip
_NOTATION = (
    ("mean@-2", "on one of hidden_states: 0 embeddings, 1 first layer, -1 last"),
    ("mean@-4:concat", "on FIRST:LAST of them, joined by concat, sum or mean"),
    ("cls+mean@0+max", "several strategies, one after the other"),
)


def render_poolings(strategies: Sequence[Strategy], columns: int, signs: Signs = UNICODE) -> RenderableType:
    """Every strategy in one line, in groups; sources below."""
    sources = {source: number for number, source in enumerate(dict.fromkeys(row.source for row in strategies), 1)}
    groups: dict[str, list[Strategy]] = {}
    for strategy in strategies:
        groups.setdefault(_group(strategy), []).append(strategy)
    ordered = [strategy for group in groups.values() for strategy in group]
    headings = {ordered.index(group[0]): Text(name, style="bold") for name, group in groups.items()}
    grid = Grid(_COLUMNS, [_cells(strategy, sources, signs) for strategy in ordered], headings)
    notation = Grid((Column("notation"), Column("meaning", folds=16)), [tuple(map(Text, row)) for row in _NOTATION])
    return Group(
        grid.render(columns, signs),
        Text(),
        Text(_LEGEND),
        Text(),
        notation.render(columns, signs),
        Text(),
        *_source_lines(sources),
    )


def _group(strategy: Strategy) -> str:
    if len(strategy.axes) > 2:
        return "One vector per token or word: the axis between is sequence_length or num_words"
    if strategy.needs_hidden_states:
        return "One vector per text, from several layers: batch_size x size"
    return "One vector per text, from the last layer: batch_size x size"


def _cells(strategy: Strategy, sources: dict[str, int], signs: Signs) -> tuple[Cell, ...]:
    return (
        Text(strategy.name),
        Text(strategy.axes[-1]),
        Text(strategy.formula),
        Bar(strategy.reads(_EXAMPLE), _KINDS, signs),
        Text(f"[{sources[strategy.source]}]", style="dim"),
        Text(strategy.over(), style="dim"),
    )


def _source_lines(sources: dict[str, int]) -> Iterable[Text]:
    return [Text(f"[{number}] {source}", style="dim") for source, number in sources.items()]
