"""Which tokens of a text, or pair, stay where it is cut to a length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.tokens.backend import Encoded
    from bertshape.tokens.tokenizer import LoadedTokenizer


def encode_cut(
    tokenizer: LoadedTokenizer, text: str, pair: str | None, max_length: int | None
) -> tuple[Encoded, list[int] | None]:
    """Encode one text, or pair, and cut it as transformers does where it is longer than a length.

    Args:
        tokenizer: The checkpoint's tokenizer.
        text: The first text.
        pair: The second text, or None.
        max_length: Tokens that it may have, special ones included; None cuts nothing.

    Returns:
        The whole encoding, and the positions in it that stay; None where all do.

    Raises:
        UsageError: The length leaves no room for the special tokens.
        CheckpointError: The tokenizer's own file keeps it from encoding.
    """
    encoded = tokenizer.encode(text, pair)
    return encoded, kept_positions(tokenizer, encoded, max_length)


def kept_positions(tokenizer: LoadedTokenizer, encoded: Encoded, max_length: int | None) -> list[int] | None:
    """Positions of a whole encoding that stay; None where all do.

    The template puts special tokens around texts whatever their length, so that leaving content out of the whole
    encoding gives what the template would give for the texts cut before. The library's own truncation of a pair builds
    every combination of the parts cut away, which is quadratic in the length.

    Raises:
        UsageError: The length leaves no room for the special tokens.
    """
    if max_length is None or len(encoded) <= max_length:
        return None
    of_text: tuple[list[int], list[int]] = ([], [])
    columns = zip(encoded.sequence_ids, encoded.special_tokens_mask, strict=True)
    for position, (sequence_id, special) in enumerate(columns):
        if sequence_id is not None and not special:
            of_text[min(sequence_id, 1)].append(position)
    first, second = of_text
    around = len(encoded) - len(first) - len(second)
    if max_length < around:
        raise UsageError(
            f"--max-length {max_length} leaves no room for the {counted(around, 'special token')}",
            hint=f"Pass --max-length {around + 1} or more.",
            code="max-length-too-small",
        )
    share = python_lengths if tokenizer.is_python else kept_lengths
    kept = share(len(first), len(second), max_length - around)
    away = {
        position
        for positions, length in zip(of_text, kept, strict=True)
        for position in _away(positions, length, tokenizer.truncation_side)
    }
    return [position for position in range(len(encoded)) if position not in away]


def kept_lengths(first: int, second: int, room: int) -> tuple[int, int]:
    """Share the room between two texts as `tokenizers` does: the shorter stays whole while it fits in half."""
    if first + second <= room:
        return first, second
    short = min(first, second, room // 2)
    return (short, room - short) if first <= second else (room - short, short)


def python_lengths(first: int, second: int, room: int) -> tuple[int, int]:
    """Share it as tokenizers written in Python do: of two equal ones, the second loses a token first."""
    if first + second <= room:
        return first, second
    if second <= room // 2:
        return room - second, second
    return (first, room - first) if first <= room - room // 2 else (room - room // 2, room // 2)


def _away(positions: list[int], length: int, side: str) -> list[int]:
    return positions[: len(positions) - length] if side == "left" else positions[length:]
