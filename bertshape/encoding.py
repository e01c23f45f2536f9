"""Many texts -> their token ids and no more: all that a model needs, in parallel and in little memory."""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.tokenization import check_unicode, encode_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenizers import Encoding

    from bertshape.records import Record
    from bertshape.tokenizer import LoadedTokenizer

_CHUNK = 2048
"""Texts that the tokenizer gets at a time, to share among the cores."""


@dataclass(frozen=True)
class EncodedRow:
    """One text, or pair, in compact arrays.

    Attributes:
        input_ids: 32-bit integers.
        token_type_ids: 8-bit integers.
        special_tokens_mask: 8-bit integers, 1 for special tokens.
    """

    input_ids: array[int]
    token_type_ids: array[int]
    special_tokens_mask: array[int]

    def __len__(self) -> int:
        return len(self.input_ids)


def encode_rows(
    tokenizer: LoadedTokenizer, records: Iterable[Record], name: str, *, limit: int | None, truncation: bool
) -> Iterator[EncodedRow]:
    """Encode texts in their order.

    Args:
        tokenizer: The checkpoint's tokenizer.
        records: The texts.
        name: Name of their file, for messages.
        limit: Tokens that a row may have.
        truncation: Cut longer ones.

    Raises:
        UsageError: A text is not valid Unicode, or too long and not to be cut; the message names its line.
    """
    waiting = iter(records)
    while chunk := list(itertools.islice(waiting, _CHUNK)):
        for record in chunk:
            check_unicode(record.text, f"{name}, line {record.line}")
        texts = [record.text if record.pair is None else (record.text, record.pair) for record in chunk]
        for record, encoding in zip(chunk, tokenizer.encode_batch(texts), strict=True):
            if limit is None or len(encoding) <= limit:
                yield _row(encoding)
            elif truncation:
                yield _row(encode_row(tokenizer, record.text, record.pair, limit)[0])
            else:
                raise UsageError(
                    f"{name}, line {record.line} gives {len(encoding)} tokens, at most {limit} run",
                    hint="Pass --truncation to cut it.",
                    code="text-too-long",
                )


def _row(encoding: Encoding) -> EncodedRow:
    return EncodedRow(array("i", encoding.ids), array("b", encoding.type_ids), array("b", encoding.special_tokens_mask))
