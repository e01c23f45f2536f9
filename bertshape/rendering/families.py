"""The table of families for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.rendering.tables import NARROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bertshape.architectures import Family

_OTHERS = "Other encoders that transformers can build are predicted by common rules, and run all the same."


def render_families(families: Sequence[Family], columns: int) -> RenderableType:
    """One row a family: what tells it from the others."""
    table = Table(box=None, pad_edge=False, padding=(0, 2 if columns >= NARROW else 1, 0, 0), header_style="dim")
    for header in ("model_type", "pooler", "token types", "usable length", "embedding"):
        table.add_column(header, overflow="fold")
    for family in families:
        table.add_row(family.model_type, *about(family).values())
    return Group(table, Text(), Text(f"{len(families)} families. {_OTHERS}"))


def about(family: Family) -> dict[str, str]:
    """What differs, in words, by the header of the column."""
    embedding = "embedding_size" in family.defaults or "embedding_size" in family.dimensions
    return {
        "pooler": "yes" if family.pooler else "no",
        "token_types": "yes" if family.token_type_ids else "no",
        "usable_length": family.length if family.unbounded_when is None else f"{family.length}, or unbounded",
        "embedding": "own size" if embedding else "hidden_size",
    }
