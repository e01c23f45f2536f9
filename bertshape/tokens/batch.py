"""Texts -> one padded batch of tokens, each with its id, word, character span and kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bertshape.errors import CheckpointError, UsageError
from bertshape.tokens.cut import encode_cut

if TYPE_CHECKING:
    from collections.abc import Sequence as SequenceOf

    from bertshape.tokens.backend import Encoded
    from bertshape.tokens.settings import Side
    from bertshape.tokens.tokenizer import LoadedTokenizer

Padding = Literal["longest", "max_length", "none"]
Kind = Literal["special", "word_start", "continuation", "token", "unknown", "padding"]


@dataclass(frozen=True)
class Token:
    """One position of one row.

    Attributes:
        position: Index in the row, padding included.
        token: The vocabulary's string.
        input_id: Its id.
        attention_mask: 1 where the model attends, 0 for padding.
        token_type_id: Segment; 0 where the tokenizer makes none, as the model takes it then.
        special: Whether the tokenizer put it there ([CLS], [SEP], padding); a [MASK] in the text is content.
        kind: What it is; `token` where the tokenizer knows no words.
        sequence_id: 0 for the first text, 1 for the second of a pair, None for special tokens.
        word_id: Index of the word in its text, None for special tokens and where the tokenizer knows no words.
        offset: Span of characters in its text, end excluded, None for special tokens and where it gives none.
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
        inputs: Names of the tensors that the tokenizer makes, and that the model is given where it takes them.
    """

    rows: tuple[Row, ...]
    padding: Padding
    padding_side: Side
    truncation: bool
    max_length: int | None
    inputs: tuple[str, ...] = ("input_ids", "token_type_ids", "attention_mask")

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
    rows = [
        _row(tokenizer, text, pair, max_length if truncation else None)
        for text, pair in zip(texts, seconds, strict=True)
    ]
    padded = _padded(tokenizer, rows, padding, max_length)
    return Tokenization(padded, padding, tokenizer.padding_side, truncation, max_length, tokenizer.inputs)


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


def _row(tokenizer: LoadedTokenizer, text: str, pair: str | None, max_length: int | None) -> Row:
    encoded, kept = encode_cut(tokenizer, text, pair, max_length)
    positions = range(len(encoded)) if kept is None else kept
    return Row(text, pair, _tokens(tokenizer, encoded, positions), len(encoded) - len(positions))


def _padded(tokenizer: LoadedTokenizer, rows: list[Row], padding: Padding, max_length: int | None) -> tuple[Row, ...]:
    lengths = {len(row.tokens) for row in rows}
    target = max(lengths) if padding != "max_length" or max_length is None else max(max_length, *lengths)
    if lengths == {target}:
        return tuple(rows)
    if padding == "none":
        raise UsageError(
            f"texts of {min(lengths)} to {max(lengths)} tokens cannot make one batch without padding",
            hint="Use --padding longest, or pass the texts one by one.",
            code="padding-needed",
        )
    return tuple(_pad(tokenizer, row, target) for row in rows)


def padding_id(tokenizer: LoadedTokenizer) -> int:
    """Id that fills short rows.

    Raises:
        CheckpointError: There is none; transformers refuses to pad then, and no token is guessed here either.
    """
    if tokenizer.pad_id is None:
        raise CheckpointError(
            f"padding is needed, and the tokenizer ({tokenizer.file}) has no padding token: transformers refuses too",
            hint="Name pad_token in tokenizer_config.json, or pass the texts one by one.",
            code="tokenizer-no-padding",
        )
    return tokenizer.pad_id


def _pad(tokenizer: LoadedTokenizer, row: Row, target: int) -> Row:
    missing = target - len(row.tokens)
    if not missing:
        return row
    pad_id = padding_id(tokenizer)
    filler = Token(0, tokenizer.string_of(pad_id) or "", pad_id, 0, 0, True, "padding", None, None, None)
    left = tokenizer.padding_side == "left"
    tokens = [filler] * missing + list(row.tokens) if left else [*row.tokens, *[filler] * missing]
    return replace(row, tokens=tuple(replace(token, position=position) for position, token in enumerate(tokens)))


def _tokens(tokenizer: LoadedTokenizer, encoded: Encoded, kept: SequenceOf[int]) -> tuple[Token, ...]:
    tokens = []
    previous: tuple[int | None, int | None] = (None, None)
    # Each of these builds a whole list: read once, not once a token.
    ids, types, special, strings = encoded.ids, encoded.type_ids, encoded.special_tokens_mask, encoded.tokens
    sequences, words, offsets = encoded.sequence_ids, encoded.word_ids, encoded.offsets
    with_types = "token_type_ids" in tokenizer.inputs
    for position, index in enumerate(kept):
        word = (sequences[index], words[index])
        kind: Kind = "special"
        if not special[index]:
            kind = "word_start" if word != previous else "continuation"
            kind = "token" if words[index] is None else kind
            kind = "unknown" if ids[index] == tokenizer.unk_id else kind
        previous = word
        tokens.append(
            Token(
                position=position,
                token=_string(tokenizer, ids, strings, index),
                input_id=ids[index],
                attention_mask=1,
                token_type_id=types[index] if with_types else 0,
                special=bool(special[index]),
                kind=kind,
                sequence_id=sequences[index],
                word_id=words[index],
                offset=None if special[index] else offsets[index],
            )
        )
    return tuple(tokens)


def _string(tokenizer: LoadedTokenizer, ids: SequenceOf[int], strings: SequenceOf[str], index: int) -> str:
    """The vocabulary's own string: that of the encoding may be the surface text, and a template may name too few."""
    token = tokenizer.string_of(ids[index])
    if token is None and index < len(strings):
        return strings[index]
    return token or ""
