"""The table of words: each with its tokens, their positions and its place in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.render.escape import visible
from bertshape.tokens.words import words_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.report import Report
    from bertshape.tokens.batch import Row
    from bertshape.tokens.words import Word

NARROW = 64
"""Columns below which headers are short and gaps narrow."""
_SHORT_HEADERS = {"positions": "pos"}
_FOLD_ABOVE, _FOLD_KEEP = 40, 15
_TEXT_LENGTH, _TOKENS_SHOWN = 60, 12


def render_words(report: Report, columns: int, *, all_tokens: bool = False) -> RenderableType:
    """One table for each text, or pair, of the batch.

    Args:
        report: The report.
        columns: Columns there are.
        all_tokens: Show all of a long list, and all of a long word.
    """
    rows = report.tokenization.rows
    parts: list[RenderableType] = []
    for number, row in enumerate(rows, start=1):
        words = words_of(row)
        title = Text("Words" if len(rows) == 1 else f"Words of text {number}", style="bold")
        title.append(f"  {_count_line(row, words)}", style="not bold")
        parts += [*([Text()] if number > 1 else []), title]
        if words:
            parts.append(_word_table(row, words, columns, all_tokens=all_tokens))
    return Group(*parts)


def positions_label(positions: tuple[int, ...]) -> str:
    """Positions as runs: `3`, `3-5`, or `3-5,8` where a word is interrupted."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and position == runs[-1][1] + 1:
            runs[-1][1] = position
        else:
            runs.append([position, position])
    return ",".join(str(begin) if begin == end else f"{begin}-{end}" for begin, end in runs)


def _count_line(row: Row, words: tuple[Word, ...]) -> str:
    """`5 words of 8 content tokens`; what was cut away is said, for its words are not here."""
    count = len(words)
    line = f"{count} word{'' if count == 1 else 's'} of {row.content} content token{'' if row.content == 1 else 's'}"
    return f"{line} ({row.truncated} more were cut away)" if row.truncated else line


def _word_table(row: Row, words: tuple[Word, ...], columns: int, *, all_tokens: bool) -> Table:
    narrow = columns < NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0), header_style="dim")
    headers = ["word", "text", "tokens", "positions", "first", "span"]
    if row.pair is not None:
        headers.append("of")
    for header in headers:
        number = header not in ("text", "tokens")
        short = _SHORT_HEADERS.get(header, header) if narrow else header
        table.add_column(short, justify="right" if number else "left", overflow="fold", no_wrap=number)
    folded = len(words) - 2 * _FOLD_KEEP if len(words) > _FOLD_ABOVE and not all_tokens else 0
    for word in words[:_FOLD_KEEP] if folded else words:
        table.add_row(*_cells(word, row.pair is not None, all_tokens=all_tokens))
    if folded:
        table.add_row("...", Text(f"{folded} more", style="dim"))
        for word in words[-_FOLD_KEEP:]:
            table.add_row(*_cells(word, row.pair is not None, all_tokens=all_tokens))
    return table


def _cells(word: Word, pair: bool, *, all_tokens: bool) -> tuple[RenderableType, ...]:
    text, tokens = word.text, word.tokens
    if not all_tokens and len(text) > _TEXT_LENGTH:
        text = f"{text[:_TEXT_LENGTH]}..."
    more = 0 if all_tokens else max(0, len(tokens) - _TOKENS_SHOWN)
    joined = Text(" ".join(visible(token) for token in tokens[: len(tokens) - more]))
    if more:
        joined.append(f" and {more} more", style="dim")
    cells: list[RenderableType] = [
        str(word.index),
        Text(visible(text), style="bold") if text.strip() else Text("(blank)", style="dim"),
        joined,
        positions_label(word.positions),
        str(word.positions[0]),
        "-" if word.offset is None else f"{word.offset[0]}-{word.offset[1]}",
    ]
    return tuple([*cells, f"text {word.sequence_id + 1}"] if pair else cells)
