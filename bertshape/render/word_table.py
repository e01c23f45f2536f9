"""The table of words: each with its tokens, their positions and its place in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.reads import FOLD_ABOVE, FOLD_KEEP
from bertshape.render.tables import UNICODE, Column, Grid, Section, Signs, title
from bertshape.tokens.words import words_of
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.report.report import Report
    from bertshape.tokens.batch import Row
    from bertshape.tokens.words import Word

_COLUMNS = (
    Column("word", right=True),
    Column("text", folds=12),
    Column("tokens", folds=12),
    Column("positions", right=True),
    Column("span", right=True),
    Column("of"),
)
_TEXT_LENGTH, _TOKENS_SHOWN = 40, 10


def word_sections(report: Report, *, all_tokens: bool = False, signs: Signs = UNICODE) -> list[Section]:
    """One table for each text, or pair, of the batch.

    Args:
        report: The report.
        all_tokens: Show all of a long list, and all of a long word.
        signs: Characters that the terminal has.
    """
    rows = report.tokenization.rows
    sections = []
    for number, row in enumerate(rows, start=1):
        words = words_of(row)
        name = "Words" if len(rows) == 1 else f"Words of text {number}"
        cells = _rows(row, words, signs, all_tokens=all_tokens)
        sections.append(Section(title(name, _count_line(row, words)), Grid(_COLUMNS, cells)))
    return sections


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
    line = f"{counted(len(words), 'word')} of {counted(row.content, 'content token')}"
    return f"{line} ({row.truncated} more cut away)" if row.truncated else line


def _rows(row: Row, words: tuple[Word, ...], signs: Signs, *, all_tokens: bool) -> list[tuple[Text, ...]]:
    def cells(some: tuple[Word, ...]) -> list[tuple[Text, ...]]:
        return [_cells(word, row.pair is not None, signs, all_tokens=all_tokens) for word in some]

    if len(words) <= FOLD_ABOVE or all_tokens:
        return cells(words)
    dots, more = Text(signs.dots, style="dim"), Text(f"{len(words) - 2 * FOLD_KEEP} more", style="dim")
    folded = (dots, more, *(Text() for _ in _COLUMNS[2:]))
    return [*cells(words[:FOLD_KEEP]), folded, *cells(words[-FOLD_KEEP:])]


def _cells(word: Word, pair: bool, signs: Signs, *, all_tokens: bool) -> tuple[Text, ...]:
    text, tokens = word.text, word.tokens
    if not all_tokens and len(text) > _TEXT_LENGTH:
        text = f"{text[:_TEXT_LENGTH]}..."
    more = 0 if all_tokens else max(0, len(tokens) - _TOKENS_SHOWN)
    joined = Text(" ".join(visible(token) for token in tokens[: len(tokens) - more]))
    if more:
        joined.append(f" and {more} more", style="dim")
    return (
        Text(str(word.index), style="dim"),
        Text(visible(text), style="bold") if text.strip() else Text("(blank)", style="dim"),
        joined,
        Text(positions_label(word.positions)),
        Text(signs.dash, style="dim") if word.offset is None else Text(f"{word.offset[0]}-{word.offset[1]}"),
        Text(f"text {word.sequence_id + 1}") if pair else Text(),
    )
