"""Many texts -> their token ids and no more: all that a model needs, in parallel and in little memory."""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.tokens.batch import check_unicode
from bertshape.tokens.cut import kept_positions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.text_file import Record, Unit
    from bertshape.tokens.backend import Encoded
    from bertshape.tokens.tokenizer import LoadedTokenizer

_CHUNK = 2048
"""Texts that the tokenizer gets at a time, to share among the cores."""

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
        UsageError: A text is not valid Unicode; the message names its line.
        CheckpointError: The tokenizer's file keeps it from encoding, or gives ids that no model takes.
    """
    waiting = iter(records)
    while chunk := list(itertools.islice(waiting, _CHUNK)):
        for record in chunk:
            for text in (record.text, record.pair or ""):
                check_unicode(text, f"{name}, {record.place}")
        texts = [record.text if record.pair is None else (record.text, record.pair) for record in chunk]
        for record, encoded in zip(chunk, tokenizer.encode_batch(texts), strict=True):
            yield _row(encoded, record, tokenizer, cut_to)


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
