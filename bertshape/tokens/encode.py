"""Many texts -> their token ids and no more: all that a model needs, in parallel and in little memory."""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.tokens.batch import check_unicode, encode_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenizers import Encoding

    from bertshape.corpus.text_file import Record, Unit
    from bertshape.tokens.tokenizer import LoadedTokenizer

_CHUNK = 2048
"""Texts that the tokenizer gets at a time, to share among the cores."""


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
        UsageError: A text is not valid Unicode; the message names its line.
    """
    waiting = iter(records)
    while chunk := list(itertools.islice(waiting, _CHUNK)):
        for record in chunk:
            for text in (record.text, record.pair or ""):
                check_unicode(text, f"{name}, {record.place}")
        texts = [record.text if record.pair is None else (record.text, record.pair) for record in chunk]
        for record, encoding in zip(chunk, tokenizer.encode_batch(texts), strict=True):
            if cut_to is None or len(encoding) <= cut_to:
                yield _row(encoding, record)
            else:
                yield _row(encode_row(tokenizer, record.text, record.pair, cut_to)[0], record, cut=True)


def _row(encoding: Encoding, record: Record, *, cut: bool = False) -> EncodedRow:
    type_ids, special = array("b", encoding.type_ids), array("b", encoding.special_tokens_mask)
    return EncodedRow(array("i", encoding.ids), type_ids, special, cut, record.line, record.unit)
