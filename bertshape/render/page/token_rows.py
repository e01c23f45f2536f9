"""Tokens as chips: grouped and coloured by word, long rows and long padding folded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from bertshape.render.phrases import count_line, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.tokens.batch import Row, Token

_COLOURS = 7
"""Colours of words, again and again; those of neighbours differ."""
_WHOLE = 64
"""A longer row is folded; so many chips are kept of it at both ends:"""
_HEAD, _TAIL = 44, 12
_PADDING = 5
"""Padding tokens that are shown of a long run."""
_LEAST = 4
"""Fewest chips that are worth folding."""


@dataclass(frozen=True)
class Chip:
    """A token as the page shows it.

    Attributes:
        position: Index in the row.
        token: The vocabulary's string.
        input_id: Its id.
        classes: How it looks.
        about: All that is known of it, in a line.
    """

    position: int
    token: str
    input_id: int
    classes: str
    about: str


@dataclass(frozen=True)
class Run:
    """Neighbouring chips; `folded` says what they are where they are folded away."""

    chips: tuple[Chip, ...]
    folded: str = ""


@dataclass(frozen=True)
class TextRow:
    """One text of the batch."""

    number: int
    text: str
    pair: str | None
    count: str
    runs: tuple[Run, ...]
    tokens: Sequence[Token]


def text_row(number: int, row: Row) -> TextRow:
    """The chips of a text.

    Args:
        number: Its index in the batch.
        row: Its tokens.
    """
    colours = colours_of(row)
    chips = [_chip(token, colour) for token, colour in zip(row.tokens, colours, strict=True)]
    folded = _folded(row)
    runs = []
    for hidden, members in groupby(range(len(chips)), key=folded.__contains__):
        positions = list(members)
        kinds = {row.tokens[position].kind for position in positions}
        what = f"{len(positions)} more {'padding' if kinds == {'padding'} else 'tokens'}" if hidden else ""
        runs.append(Run(tuple(chips[position] for position in positions), what))
    return TextRow(number, row.text, row.pair, count_line(row), tuple(runs), row.tokens)


def colours_of(row: Row) -> list[str]:
    """Class of each token: a colour for each word, one for special tokens, one for padding."""
    colours = []
    for token, word in zip(row.tokens, row.word_indices(), strict=True):
        if token.kind == "padding":
            colours.append("cp")
        elif token.special:
            colours.append("cs")
        else:
            colours.append(f"c{(word if word >= 0 else token.position) % _COLOURS}")
    return colours


def _chip(token: Token, colour: str) -> Chip:
    kinds = {"special": "special", "padding": "padding", "continuation": "joined", "unknown": "unknown"}
    classes = f"{colour} {kinds.get(token.kind, '')}".strip()
    return Chip(token.position, token.token or "∅", token.input_id, classes, ", ".join(_about(token)))


def _about(token: Token) -> Iterator[str]:
    yield f"{token.token}: id {token.input_id}"
    yield in_words(token.kind)
    if token.offset is not None:
        yield f"characters {token.offset[0]}-{token.offset[1]}"
    if token.word_id is not None:
        yield f"word {token.word_id}"
    yield f"segment {token.token_type_id}"
    yield f"position {token.position}"
    if not token.attention_mask:
        yield "not attended"


def _folded(row: Row) -> set[int]:
    """Positions that are folded away: the middle of a long row, and most of a long padding."""
    count = len(row.tokens)
    hidden = set(range(_HEAD, count - _TAIL)) if count > _WHOLE else set()
    for padded, members in groupby(range(count), key=lambda position: row.tokens[position].kind == "padding"):
        run = list(members)
        if padded and len(run) >= _PADDING + _LEAST:
            # Beside the tokens some are left, so that one sees on which side padding is.
            hidden |= set(run[_PADDING:] if run[0] else run[:-_PADDING])
    return hidden
