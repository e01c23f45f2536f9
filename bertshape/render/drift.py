"""What two checkpoints make of a corpus, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.tables import UNICODE, Column, Grid, Signs, labelled, title
from bertshape.wording import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.drift import ChangedText, Drift

_COLUMNS = (
    Column("line", right=True),
    Column("tokens", right=True),
    Column("first", right=True),
    Column("A", folds=8),
    Column("B", folds=8),
    Column("cosine", right=True),
    Column("text", folds=12),
)


def render_drift(drift: Drift, columns: int, signs: Signs = UNICODE) -> list[RenderableType]:
    """Shares first, then the texts that changed most."""
    before, after = drift.lengths
    length = (
        f"{counted(before, 'token')} in A, {after:,} in B ({(after - before) / max(before, 1):+.2%}); "
        f"{counted(drift.longer, 'longer text')}, {drift.shorter:,} shorter"
    )
    lines: list[RenderableType] = [
        Text(),
        title("Drift", visible(drift.path)),
        labelled(
            "texts",
            f"{drift.changed:,} of {drift.texts:,} change ({drift.share:.2%})",
            style="yellow" if drift.changed else "green",
        ),
        labelled("ids", _ids(drift), style="yellow" if drift.retokenized else "green"),
        labelled("length", length, style="yellow" if drift.longer + drift.shorter else "green"),
        _cosines(drift),
    ]
    if drift.most is not None:
        verdict, style = ("passes", "green") if drift.passes else ("fails", "red")
        unknown = "; the vectors were not compared" * (drift.cosines is None and not drift.ids_alone)
        said = f"{verdict}: {drift.share:.2%} change, {drift.most:.2%} may{unknown}"
        lines.append(labelled("limit", said, style=style))
    if drift.worst:
        rows = [_row(row, signs) for row in drift.worst]
        lines += [Text(), Grid(_COLUMNS, rows).render(columns, signs)]
    return lines


def _ids(drift: Drift) -> str:
    if not drift.retokenized:
        return "all texts have the same ids on both sides"
    moved = f"; {drift.ids_moved:,} of the {drift.ids_used:,} ids used stand for another token"
    return f"other ids in {counted(drift.retokenized, 'text')}{moved if drift.ids_moved else ''}"


def _cosines(drift: Drift) -> RenderableType:
    cosines = drift.cosines
    if cosines is None:
        return labelled("cosine", f"none: {drift.reason}", style="yellow")
    text = (
        f"of the sentence embeddings: least {cosines.least:.4f}, 1% up to {cosines.percent_1:.4f}, mean "
        f"{cosines.mean:.4f}; {counted(cosines.changed, 'text')} below 0.999"
    )
    return labelled("cosine", text, style="green" if not cosines.changed else "yellow")


def _row(row: ChangedText, signs: Signs) -> tuple[Text, ...]:
    dash = Text(signs.dash, style="dim")
    tokens = [
        dash if number is None else Text(f"{visible(token or '?')} ({number})")
        for token, number in zip(row.tokens, row.ids, strict=True)
    ]
    before, after = row.lengths
    return (
        Text(f"{row.line:,}"),
        Text(f"{before:,}" if before == after else f"{before:,} to {after:,}"),
        dash if row.position is None else Text(f"{row.position:,}"),
        *tokens,
        dash if row.cosine is None else Text(f"{row.cosine:.4f}"),
        Text(visible(row.text)),
    )
