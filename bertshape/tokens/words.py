"""The words of a row of tokens: which tokens each has, and where it stands in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.tokens.batch import Row, Token


@dataclass(frozen=True)
class Word:
    """A word as the tokenizer sees it; `words` and `words_first` give it a vector.

    Attributes:
        index: Index in the row, counted on over both texts of a pair: that of its vector.
        sequence_id: 0 for the first text, 1 for the second.
        text: Its characters in the text, without the blank before it that some tokenizers count in.
        tokens: The vocabulary's strings.
        positions: Where they are in the row; the first is the one that `words_first` takes.
        offset: Span of characters in its text, end excluded; None where the tokenizer gives none.
    """

    index: int
    sequence_id: int
    text: str
    tokens: tuple[str, ...]
    positions: tuple[int, ...]
    offset: tuple[int, int] | None


def words_of(row: Row) -> tuple[Word, ...]:
    """The words of a row, in the order of their vectors; none for special tokens and padding."""
    members: dict[int, list[Token]] = {}
    for token, index in zip(row.tokens, row.word_indices(), strict=True):
        if index >= 0:
            members.setdefault(index, []).append(token)
    return tuple(_word(row, index, tokens) for index, tokens in members.items())


def _word(row: Row, index: int, tokens: list[Token]) -> Word:
    sequence_id = tokens[0].sequence_id or 0
    source = row.pair or "" if sequence_id == 1 else row.text
    offset = _span(source, tokens)
    return Word(
        index=index,
        sequence_id=sequence_id,
        text="" if offset is None else source[slice(*offset)],
        tokens=tuple(token.token for token in tokens),
        positions=tuple(token.position for token in tokens),
        offset=offset,
    )


def _span(source: str, tokens: list[Token]) -> tuple[int, int] | None:
    """From the first character of any token to the last one, blanks at both ends left out."""
    offsets = [token.offset for token in tokens if token.offset is not None]
    if not offsets:
        return None
    begin, end = min(begin for begin, _ in offsets), max(end for _, end in offsets)
    whole = source[begin:end]
    bare = whole.strip()
    # A word that is nothing but a blank stays as it is.
    if not bare or bare == whole:
        return begin, end
    begin += len(whole) - len(whole.lstrip())
    return begin, begin + len(bare)
