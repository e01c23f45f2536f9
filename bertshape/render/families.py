"""The table of families for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.tables import UNICODE, Column, Grid, Signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.predict.family import Family

_COLUMNS = (
    Column("model_type"),
    Column("pooler"),
    Column("token types"),
    Column("embedding"),
    Column("only known by running"),
)
_LENGTHS = {
    "positions": "Up to max_position_embeddings tokens",
    "positions - pad_token_id - 1": "Up to max_position_embeddings - pad_token_id - 1 tokens",
    "unbounded": "No limit on tokens: positions are relative or rotary",
}
_LEGEND = (
    "own size: the embeddings have embedding_size, and are projected to hidden_size. Only known by running: outputs "
    "whose shape is not predicted, under some configurations at least. * no limit under some configurations. Other "
    "encoders that transformers can build are predicted by common rules, and run all the same."
)


def render_families(families: Sequence[Family], columns: int, signs: Signs = UNICODE) -> RenderableType:
    """One line per family, in groups of those that count positions alike."""
    ordered = [family for length in _LENGTHS for family in families if family.length == length]
    firsts = {length: next((n for n, f in enumerate(ordered) if f.length == length), None) for length in _LENGTHS}
    headings = {first: Text(_LENGTHS[length], style="bold") for length, first in firsts.items() if first is not None}
    grid = Grid(_COLUMNS, [tuple(map(Text, _cells(family, signs))) for family in ordered], headings)
    return Group(grid.render(columns, signs), Text(), Text(f"{len(families)} families. {_LEGEND}"))


def _cells(family: Family, signs: Signs) -> tuple[str, ...]:
    odd = family.ever_observed_only
    own = "embedding_size" in family.defaults or "embedding_size" in family.dimensions
    return (
        f"{family.model_type}{' *' if family.unbounded_when else ''}",
        "pooler" if "pooler_output" in family.outputs else signs.dash,
        "yes" if family.token_type_ids else signs.dash,
        "own size" if own else "",
        "all outputs" if len(odd) > 2 else ", ".join(odd),
    )
