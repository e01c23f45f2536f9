"""Texts -> one padded batch of tokens, each with its id, word, character span and kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bertshape.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence as SequenceOf

    from tokenizers import Encoding

    from bertshape.tokens.tokenizer import LoadedTokenizer, Side

Padding = Literal["longest", "max_length", "none"]
Kind = Literal["special", "word_start", "continuation", "unknown", "padding"]


@dataclass(frozen=True)
class Token:
    """One position of one row.

    Attributes:
        position: Index in the row, padding included.
        token: The vocabulary's string.
        input_id: Its id.
        attention_mask: 1 where the model attends, 0 for padding.
        token_type_id: Segment: 0 for the first text, 1 for the second.
        special: Whether the tokenizer put it there ([CLS], [SEP], padding); a [MASK] in the text is content.
        kind: What it is.
        sequence_id: 0 for the first text, 1 for the second of a pair, None for special tokens.
        word_id: Index of the word in its text, None for special tokens.
        offset: Span of characters in its text, end excluded, None for special tokens.
    """

    position: int
    token: str
    input_id: int
    attention_mask: int
    token_type_id: int
    special: bool
    kind: Kind
    sequence_id: int | None
    word_id: int | None
    offset: tuple[int, int] | None


@dataclass(frozen=True)
class Row:
    """One text, or pair, as tokens.

    Attributes:
        text: The text as it was given.
        pair: The second text, or None.
        tokens: All positions, padding included.
        truncated: Content tokens that were cut away.
    """

    text: str
    pair: str | None
    tokens: tuple[Token, ...]
    truncated: int

    @property
    def padding(self) -> int:
        """Number of padding positions."""
        return sum(token.kind == "padding" for token in self.tokens)

    @property
    def special(self) -> int:
        """Number of special tokens, padding not counted."""
        return sum(token.special for token in self.tokens) - self.padding

    @property
    def content(self) -> int:
        """Number of tokens that come from the text."""
        return sum(not token.special for token in self.tokens)

    @property
    def unknown(self) -> int:
        """Number of content tokens that the vocabulary does not know."""
        return sum(token.kind == "unknown" for token in self.tokens)

    def word_indices(self) -> list[int]:
        """Index of the word of each position, counted over both texts; -1 where there is none."""
        words: dict[tuple[int | None, int | None], int] = {}
        keys = [(token.sequence_id, token.word_id) for token in self.tokens]
        return [words.setdefault(key, len(words)) if key[1] is not None else -1 for key in keys]


@dataclass(frozen=True)
class Tokenization:
    """A batch: rows of one length.

    Attributes:
        rows: One for each text.
        padding: How rows were brought to one length.
        padding_side: Where padding goes.
        truncation: Whether rows may be cut.
        max_length: Length that rows are cut or padded to, where one was asked for or applies.
    """

    rows: tuple[Row, ...]
    padding: Padding
    padding_side: Side
    truncation: bool
    max_length: int | None

    @property
    def batch_size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def sequence_length(self) -> int:
        """Positions in each row."""
        return len(self.rows[0].tokens)

    @property
    def padded(self) -> bool:
        """Whether any row has padding."""
        return any(row.padding for row in self.rows)

    @property
    def num_words(self) -> int:
        """Largest number of words in one row."""
        return max(max(row.word_indices(), default=-1) for row in self.rows) + 1

    @property
    def largest_id(self) -> int:
        """Largest input id of the batch; -1 for a batch of empty rows."""
        return max((token.input_id for row in self.rows for token in row.tokens), default=-1)


def tokenize(
    tokenizer: LoadedTokenizer,
    texts: SequenceOf[str],
    pairs: SequenceOf[str] | None = None,
    *,
    padding: Padding = "longest",
    truncation: bool = False,
    max_length: int | None = None,
) -> Tokenization:
    """Tokenize texts into one batch.

    Args:
        tokenizer: The checkpoint's tokenizer.
        texts: First texts, at least one.
        pairs: Second texts, as many as first ones, or None.
        padding: `longest` pads to the longest row, `max_length` to `max_length`, `none` not at all.
        truncation: Cut rows longer than `max_length`, longest text of a pair first, as transformers does.
        max_length: Tokens a row may have, special ones included.

    Raises:
        UsageError: A text is not valid Unicode, or rows cannot make one batch.
        CheckpointError: Padding is needed and the tokenizer has no padding token.
    """
    seconds: list[str | None] = [None] * len(texts) if pairs is None else list(pairs)
    encoded = [
        encode_row(tokenizer, text, pair, max_length if truncation else None)
        for text, pair in zip(texts, seconds, strict=True)
    ]
    encodings = [encoding for encoding, _ in encoded]
    _pad(tokenizer, encodings, padding, max_length)
    rows = tuple(
        Row(text, pair, _tokens(encoding, tokenizer.unk_id), truncated)
        for text, pair, (encoding, truncated) in zip(texts, seconds, encoded, strict=True)
    )
    return Tokenization(rows, padding, tokenizer.padding_side, truncation, max_length)


def check_unicode(text: str, where: str) -> None:
    """Refuse a text with lone surrogates, which no encoder and no tokenizer accepts.

    Raises:
        UsageError: The text has one; on a command line it stands for a byte that is not UTF-8.
    """
    for index, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            byte = ord(character) - 0xDC00
            what = (
                f"byte 0x{byte:02x} that is not UTF-8"
                if 0x80 <= byte <= 0xFF
                else f"lone surrogate U+{ord(character):04X}"
            )
            raise UsageError(
                f"{where} has a {what}, at character {index}", hint="Pass UTF-8 text.", code="text-not-unicode"
            )


def encode_row(tokenizer: LoadedTokenizer, text: str, pair: str | None, max_length: int | None) -> tuple[Encoding, int]:
    """Encode one row, cut to a length where one is given.

    Returns:
        The encoding, and the number of content tokens that were cut away.

    Raises:
        UsageError: The length leaves no room for the special tokens.
        CheckpointError: The tokenizer's own file keeps it from encoding.
    """
    backend = tokenizer.backend
    encoding = tokenizer.encode(text, pair)
    if max_length is None or len(encoding) <= max_length:
        return encoding, 0
    special = backend.num_special_tokens_to_add(pair is not None)
    if max_length < special:
        raise UsageError(
            f"--max-length {max_length} leaves no room for the {special} special tokens",
            hint=f"Pass --max-length {special + 1} or more.",
            code="max-length-too-small",
        )
    # Not by enable_truncation: for a pair it builds every combination of the parts cut away, quadratic in the length.
    post_processor, backend.post_processor = backend.post_processor, None
    try:
        first, second = tokenizer.encode(text), None if pair is None else tokenizer.encode(pair)
    finally:
        backend.post_processor = post_processor
    kept = _kept_lengths(len(first), 0 if second is None else len(second), max_length - special)
    first = _cut(first, kept[0], tokenizer.truncation_side)
    second = None if second is None else _cut(second, kept[1], tokenizer.truncation_side)
    cut = backend.post_process(first, second)
    return cut, len(encoding) - len(cut)


def _cut(encoding: Encoding, length: int, side: str) -> Encoding:
    """The encoding without what goes beyond a length.

    The library keeps the parts cut away in the encoding, and `post_process` would combine those of a pair, each with
    each: gigabytes for long texts. Its state, which is JSON, is the one place where they can be dropped.
    """
    if len(encoding) <= length:
        return encoding
    encoding.truncate(length, direction=side)
    state = json.loads(encoding.__getstate__()) | {"overflowing": []}
    bare = type(encoding)()
    bare.__setstate__(json.dumps(state).encode())
    return bare


def _kept_lengths(first: int, second: int, room: int) -> tuple[int, int]:
    """Share the room between two texts: the shorter stays whole while it fits in half (`longest_first`)."""
    if first + second <= room:
        return first, second
    short = min(first, second, room // 2)
    return (short, room - short) if first <= second else (room - short, short)


def _pad(tokenizer: LoadedTokenizer, encodings: list[Encoding], padding: Padding, max_length: int | None) -> None:
    lengths = {len(encoding) for encoding in encodings}
    target = max(lengths) if padding != "max_length" or max_length is None else max(max_length, *lengths)
    if lengths == {target}:
        return
    if padding == "none":
        raise UsageError(
            f"texts of {min(lengths)} to {max(lengths)} tokens cannot make one batch without padding",
            hint="Use --padding longest, or pass the texts one by one.",
            code="padding-needed",
        )
    if tokenizer.pad_token is None or tokenizer.pad_id is None:
        raise CheckpointError(
            f"padding is needed, and the tokenizer ({tokenizer.file}) has no padding token",
            hint="Name pad_token in tokenizer_config.json, or pass the texts one by one.",
            code="tokenizer-no-padding",
        )
    for encoding in encodings:
        encoding.pad(target, direction=tokenizer.padding_side, pad_id=tokenizer.pad_id, pad_token=tokenizer.pad_token)


def _tokens(encoding: Encoding, unk_id: int | None) -> tuple[Token, ...]:
    tokens = []
    previous: tuple[int | None, int | None] = (None, None)
    columns = zip(
        encoding.tokens,
        encoding.ids,
        encoding.attention_mask,
        encoding.type_ids,
        encoding.special_tokens_mask,
        encoding.sequence_ids,
        encoding.word_ids,
        encoding.offsets,
        strict=True,
    )
    for position, (token, input_id, mask, type_id, special, sequence_id, word_id, offset) in enumerate(columns):
        word = (sequence_id, word_id)
        kind: Kind = "word_start" if word != previous else "continuation"
        if special:
            kind = "special" if mask else "padding"
        elif input_id == unk_id:  # Not by its string: Unigram models put the surface text there.
            kind = "unknown"
        previous = word
        span = None if special else offset
        tokens.append(Token(position, token, input_id, mask, type_id, bool(special), kind, sequence_id, word_id, span))
    return tuple(tokens)
