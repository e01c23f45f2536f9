"""Which tokens a strategy reads, in plain Python: what its function does, seen from the tokens.

TokenWeights are relative: 1 for the token that weighs most, 0 for one that is not read. So `mean`, `last4_sum` and
`max` are alike here: all attended tokens, none more than another.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Positions:
    """One text as pooling sees it; all are as long as its sequence_length.

    Attributes:
        attention_mask: 1 where the model attends.
        special_tokens_mask: 1 for special tokens and padding.
        word_index: Index of each token's word, -1 for none.
    """

    attention_mask: tuple[int, ...]
    special_tokens_mask: tuple[int, ...]
    word_index: tuple[int, ...]


TokenWeights = tuple[float, ...]


def attended(positions: Positions) -> TokenWeights:
    """Every attended token alike."""
    return tuple(map(float, positions.attention_mask))


def first_attended(positions: Positions) -> TokenWeights:
    """The first attended token; position 0 where none is."""
    mask = positions.attention_mask
    return _one(mask.index(1) if 1 in mask else 0, len(mask))


def first_position(positions: Positions) -> TokenWeights:
    """Position 0, attended or not: where the pooler of a model looks."""
    return _one(0, len(positions.attention_mask))


def last_attended(positions: Positions) -> TokenWeights:
    """The last attended token."""
    mask = positions.attention_mask
    return _one(len(mask) - 1 - mask[::-1].index(1), len(mask)) if 1 in mask else (0.0,) * len(mask)


def rising(positions: Positions) -> TokenWeights:
    """Attended tokens, each by its position, counted from 1 at the first attended one."""
    mask = positions.attention_mask
    if 1 not in mask:
        return (0.0,) * len(mask)
    first = mask.index(1)
    last = len(mask) - mask[::-1].index(1)
    return tuple(kept * (index + 1 - first) / (last - first) for index, kept in enumerate(mask))


def every_position(positions: Positions) -> TokenWeights:
    """All positions alike, padding included."""
    return (1.0,) * len(positions.attention_mask)


def content(positions: Positions) -> TokenWeights:
    """Attended tokens that come from the text."""
    return tuple(
        float(kept and not special)
        for kept, special in zip(positions.attention_mask, positions.special_tokens_mask, strict=True)
    )


def in_words(positions: Positions) -> TokenWeights:
    """Tokens that belong to a word, alike within it."""
    return tuple(float(word >= 0) for word in positions.word_index)


def first_in_words(positions: Positions) -> TokenWeights:
    """The first token of each word."""
    words = positions.word_index
    return tuple(float(word >= 0 and word not in words[:index]) for index, word in enumerate(words))


def _one(index: int, length: int) -> TokenWeights:
    return tuple(float(position == index) for position in range(length))
