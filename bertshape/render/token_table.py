"""The table of tokens of each text: long lists folded in the middle, padding folded into one row with its count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import told_apart
from bertshape.render.phrases import count_line
from bertshape.render.reads import FOLD_ABOVE, FOLD_KEEP
from bertshape.render.tables import UNICODE, Column, Grid, Section, Signs, title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bertshape.report.report import Report
    from bertshape.tokens.batch import Row, Token

_COLUMNS = (
    Column("#", right=True),
    Column("token", folds=12),
    Column("id", right=True),
    Column("word", right=True),
    Column("span", right=True),
    Column("segment", right=True),
    Column("text", right=True),
    Column("kind", drop=2),
)
_KIND_STYLE: Mapping[str, str] = {"special": "magenta", "unknown": "red", "padding": "dim"}
_KIND: Mapping[str, str] = {"word_start": "word", "continuation": "part"}


def token_sections(report: Report, *, all_tokens: bool = False, signs: Signs = UNICODE) -> list[Section]:
    """One table for each text.

    Args:
        report: The report.
        all_tokens: Whether a long list, and padding, are shown whole.
        signs: Characters that the terminal has.
    """
    rows = report.tokenization.rows
    tokens = [token for row in rows for token in row.tokens]
    # One value for all says nothing: most texts have one segment.
    segments = report.has_token_types and len({token.token_type_id for token in tokens}) > 1
    texts = not segments and any(row.pair is not None for row in rows)
    strings = list(dict.fromkeys(token.token for token in tokens))
    shown = dict(zip(strings, told_apart(strings), strict=True))
    sections = []
    for number, row in enumerate(rows, start=1):
        cells = [
            _cells(group, shown, signs, segments=segments, texts=texts)
            for group in fold(groups(row, apart=all_tokens), keep_all=all_tokens)
        ]
        name = "Tokens" if len(rows) == 1 else f"Tokens of text {number}"
        sections.append(Section(title(name, count_line(row)), Grid(_COLUMNS, cells)))
    return sections


def groups(row: Row, *, apart: bool) -> list[tuple[Token, ...]]:
    """The tokens, each alone but for padding, which makes one group; `apart` leaves it alone too."""
    found: list[tuple[Token, ...]] = []
    for token in row.tokens:
        if not apart and token.kind == "padding" and found and found[-1][-1].kind == "padding":
            found[-1] = (*found[-1], token)
        else:
            found.append((token,))
    return found


def fold(found: Sequence[tuple[Token, ...]], *, keep_all: bool) -> Iterator[tuple[Token, ...] | int]:
    """The groups that are shown; in place of those in the middle of a long list their number."""
    if len(found) <= FOLD_ABOVE or keep_all:
        yield from found
        return
    yield from found[:FOLD_KEEP]
    yield sum(map(len, found[FOLD_KEEP:-FOLD_KEEP]))
    yield from found[-FOLD_KEEP:]


def _cells(
    group: tuple[Token, ...] | int, shown: Mapping[str, str], signs: Signs, *, segments: bool, texts: bool
) -> tuple[Text, ...]:
    if isinstance(group, int):
        more = (Text(signs.dots, style="dim"), Text(f"{group} more", style="dim"))
        return (*more, *(Text() for _ in range(len(_COLUMNS) - len(more))))
    token, last = group[0], group[-1]
    style = _KIND_STYLE.get(token.kind, "")
    none = Text(signs.dash, style="dim")
    position = str(token.position) if len(group) == 1 else f"{token.position}-{last.position}"
    count = "" if len(group) == 1 else f"{len(group)} x "
    return (
        Text(position, style="dim"),
        Text(f"{count}{shown[token.token]}", style=style),
        Text(str(token.input_id)),
        none if token.word_id is None else Text(str(token.word_id)),
        none if token.offset is None else Text(f"{token.offset[0]}-{token.offset[1]}"),
        Text(str(token.token_type_id)) if segments else Text(),
        _of_text(token, none) if texts else Text(),
        Text(_KIND.get(token.kind, token.kind), style=style),
    )


def _of_text(token: Token, none: Text) -> Text:
    """Which of a pair's texts a token is from."""
    return none if token.sequence_id is None else Text(str(token.sequence_id + 1))
