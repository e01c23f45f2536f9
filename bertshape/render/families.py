"""The table of families for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.render.inspect import NARROW, WIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.predict.family import Family

_LEGEND = (
    "Positions are max_position_embeddings, pad id is pad_token_id. By running: outputs whose shape only a run shows, "
    "under some configurations at least; layers are hidden_states and attentions. Other encoders that transformers can "
    "build are predicted by common rules, and run all the same."
)


def render_families(families: Sequence[Family], columns: int) -> RenderableType:
    """One row a family: what tells it from the others."""
    table = Table(box=None, pad_edge=False, padding=(0, 2 if columns >= WIDE else 1, 0, 0), header_style="dim")
    if columns < NARROW:
        table.add_column("model_type", min_width=max(len(family.model_type) for family in families))
        table.add_column("pooler, token types, usable length, embedding, by running")
        for family in families:
            table.add_row(family.model_type, ", ".join(cell for cell in about(family).values() if cell))
    else:
        for header in ("model_type", "pooler", "token types", "usable length", "embedding", "by running"):
            # In 80 columns each family but one has a line: this header takes two, for words as short as yes and no.
            table.add_column(header, overflow="fold", max_width=5 if header == "token types" else None)
        for family in families:
            cells = about(family)
            if columns >= WIDE:
                cells["by_running"] = ", ".join(family.ever_observed_only)
            table.add_row(family.model_type, *cells.values())
    return Group(table, Text(), Text(f"{len(families)} families. {_LEGEND}"))


def about(family: Family) -> dict[str, str]:
    """What differs, in a few words, by the header of the column."""
    embedding = "embedding_size" in family.defaults or "embedding_size" in family.dimensions
    length = family.length.replace("pad_token_id", "pad id")
    odd = family.ever_observed_only
    return {
        "pooler": "yes" if "pooler_output" in family.outputs else "no",
        "token_types": "yes" if family.token_type_ids else "no",
        "usable_length": length if family.unbounded_when is None else f"{length} or unbounded",
        "embedding": "own size" if embedding else "hidden",
        "by_running": "layers" if "hidden_states" in odd else ", ".join(odd),
    }
