"""Many texts -> their token ids and no more: all that a model needs, in parallel and in little memory."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.corpus.read import in_chunks
from bertshape.errors import CheckpointError
from bertshape.tokens.batch import check_unicode
from bertshape.tokens.cut import kept_positions
from bertshape.tokens.pieces import beginning, check_size, reads_words_alone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.text_file import Record, Unit
    from bertshape.tokens.backend import Encoded
    from bertshape.tokens.tokenizer import LoadedTokenizer

_LARGEST_ID = 2**31 - 1
_LARGEST_TYPE = 127


@dataclass(frozen=True)
class EncodedRow:
    """One text, or pair, in compact arrays.

    Attributes:
        input_ids: 32-bit integers.
        token_type_ids: 8-bit integers.
        special_tokens_mask: 8-bit integers, 1 for special tokens.
        cut: Whether tokens were cut away.
        line: Number of its line, row or text.
        unit: Which of them.
    """

    input_ids: array[int]
    token_type_ids: array[int]
    special_tokens_mask: array[int]
    cut: bool = False
    line: int = 0
    unit: Unit = "line"

    def __len__(self) -> int:
        return len(self.input_ids)


def encode_rows(
    tokenizer: LoadedTokenizer, records: Iterable[Record], name: str, *, cut_to: int | None
) -> Iterator[EncodedRow]:
    """Encode texts in their order.

    Args:
        tokenizer: The checkpoint's tokenizer.
        records: The texts.
        name: Name of their file, for messages.
        cut_to: Length that longer rows are cut to; None cuts none.

    Raises:
        UsageError: A text is not valid Unicode, or too long to be tokenized; the message names its line.
        CheckpointError: The tokenizer's file keeps it from encoding, or gives ids that no model takes.
    """
    # What is cut away need not be made, where the tokens of a beginning are those of the whole.
    shortens = tokenizer.truncation_side == "right" and reads_words_alone(tokenizer.backend)
    shorten_to = cut_to if shortens else None
    for chunk in in_chunks(records):
        texts = [_given(record, f"{name}, {record.place}", shorten_to) for record in chunk]
        for record, given, encoded in zip(chunk, texts, tokenizer.encode_batch(texts), strict=True):
            whole = encoded
            if isinstance(given, str) and len(given) < len(record.text) and len(encoded) <= (cut_to or 0):
                # Fewer tokens than so many characters give as a rule.
                check_size(record.text, f"{name}, {record.place}")
                whole = tokenizer.encode(record.text)
            yield _row(whole, record, tokenizer, cut_to)


def _given(record: Record, where: str, shorten_to: int | None) -> str | tuple[str, str]:
    """What the tokenizer gets of a record; of a text that is cut, a beginning that most likely has tokens enough."""
    first, second = record.text, record.pair
    if second is None and shorten_to is not None:
        first = beginning(first, shorten_to)
    for text in (record.text, second or ""):
        check_unicode(text, where)
    for text in (first, second or ""):
        check_size(text, where)
    return first if second is None else (first, second)


def _row(encoded: Encoded, record: Record, tokenizer: LoadedTokenizer, cut_to: int | None) -> EncodedRow:
    kept = kept_positions(tokenizer, encoded, cut_to)
    ids, types, special = encoded.ids, encoded.type_ids, encoded.special_tokens_mask
    if "token_type_ids" not in tokenizer.inputs:
        types = [0] * len(ids)
    if kept is not None:
        ids, types, special = ([column[index] for index in kept] for column in (ids, types, special))
    for values, most, what in ((ids, _LARGEST_ID, "the id"), (types, _LARGEST_TYPE, "the type id")):
        if values and max(values) > most:
            raise CheckpointError(
                f"{tokenizer.file} gives {what} {max(values)}, and no model has more than {most + 1} of them",
                hint="Save the tokenizer again, or copy it from the original checkpoint.",
                code="token-id-out-of-range",
            )
    columns = array("i", ids), array("b", types), array("b", special)
    return EncodedRow(*columns, kept is not None, record.line, record.unit)
