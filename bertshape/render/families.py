"""The table of families for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.tables import UNICODE, Column, Grid, Signs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from bertshape.predict.family import Family

_COLUMNS = (
    Column("model_type"),
    Column("pooler"),
    Column("types"),
    Column("tokens"),
    Column("what differs"),
)
_GROUPS = {
    "encoder": "Encoders",
    "t5-encoder": "Encoders of T5: of a whole model, the decoder is left out",
    "decoder": "Decoders: no [CLS], and a token sees itself and those before it alone",
    "text-part": "Text parts of models of two towers",
}
_LENGTHS = {"positions": "table", "positions - pad_token_id - 1": "table-pad", "unbounded": "any"}
_LEGEND = (
    "types: takes token_type_ids. tokens: how many fit: max_position_embeddings (table), pad_token_id + 1 less than "
    "that (table-pad), or any number (any); * any under some configurations. embedding_size: the embeddings have a "
    "size of their own. grouped heads: several share keys and values. window: some layers see so many tokens at most. "
    "run: outputs whose shape only a run shows, under some configurations at least. Other models of texts that "
    "transformers can build are predicted by common rules, and run all the same."
)


def render_families(families: Sequence[Family], columns: int, signs: Signs = UNICODE) -> RenderableType:
    """One line per family, in groups of the same kind."""
    ordered = [family for group in _GROUPS for family in families if family.group == group]
    firsts = {group: next((n for n, f in enumerate(ordered) if f.group == group), None) for group in _GROUPS}
    headings = {first: Text(_GROUPS[group], style="bold") for group, first in firsts.items() if first is not None}
    grid = Grid(_COLUMNS, [tuple(map(Text, _cells(family, signs))) for family in ordered], headings)
    return Group(grid.render(columns, signs), Text(), Text(f"{len(families)} families. {_LEGEND}"))


def _cells(family: Family, signs: Signs) -> tuple[str, ...]:
    return (
        family.model_type,
        "pooler" if "pooler_output" in family.outputs else signs.dash,
        "yes" if family.token_type_ids else signs.dash,
        f"{_LENGTHS[family.length]}{'*' if family.unbounded_when else ''}",
        ", ".join(_differences(family)),
    )


def _differences(family: Family) -> Iterator[str]:
    if "embedding_size" in family.defaults or "embedding_size" in family.dimensions:
        yield "embedding_size"
    if family.groups_heads:
        yield "grouped heads"
    if family.window is not None:
        yield "window"
    odd = family.ever_observed_only
    if odd:
        yield f"run: {'all outputs' if len(odd) > 2 else ', '.join(odd)}"
