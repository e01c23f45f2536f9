"""How many tokens texts have, and how many of them are unknown: in little memory, however long a text is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.tokens.batch import check_unicode
from bertshape.tokens.pieces import PIECE_CHARACTERS, check_size, pieces, reads_words_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.corpus.text_file import Record
    from bertshape.tokens.tokenizer import LoadedTokenizer


class Measure:
    """Measures texts with a tokenizer.

    Args:
        tokenizer: The tokenizer.
        name: Name of the file of the texts, for messages.
    """

    def __init__(self, tokenizer: LoadedTokenizer, name: str) -> None:
        self._tokenizer, self._name = tokenizer, name
        self._in_pieces = reads_words_alone(tokenizer.backend)

    def __call__(self, records: Sequence[Record]) -> tuple[list[int], list[int]]:
        """Tokens of each text, special ones included and nothing cut, and how many of each are unknown.

        Raises:
            UsageError: A text is not valid Unicode, or too long to be tokenized; the message names its line.
            CheckpointError: The tokenizer cannot encode one.
        """
        try:
            return self._measure(records)
        except CheckpointError:
            # Perhaps a lone surrogate: the tokenizer takes none, and does not say which text has one.
            for record in records:
                for part in _parts(record):
                    check_unicode(part, f"{self._name}, {record.place}")
            raise

    def _measure(self, records: Sequence[Record]) -> tuple[list[int], list[int]]:
        usual = [record for record in records if not _is_long(record)]
        if len(usual) == len(records):
            return self._at_once(records)
        measured = iter(list(zip(*self._at_once(usual), strict=True)))
        rows = [self._one(record) if _is_long(record) else next(measured) for record in records]
        return [length for length, _ in rows], [unknown for _, unknown in rows]

    def _at_once(self, records: Sequence[Record]) -> tuple[list[int], list[int]]:
        texts = [record.text if record.pair is None else (record.text, record.pair) for record in records]
        encodings = self._tokenizer.encode_batch(texts)
        unk_id = self._tokenizer.unk_id
        unknown = [0] * len(records) if unk_id is None else [encoding.ids.count(unk_id) for encoding in encodings]
        return list(map(len, encodings)), unknown

    def _one(self, record: Record) -> tuple[int, int]:
        """A long text: piece by piece where that gives its tokens, else at once if it is not too long."""
        if not self._in_pieces:
            for part in _parts(record):
                check_size(part, f"{self._name}, {record.place}")
            lengths, unknown = self._at_once([record])
            return lengths[0], unknown[0]
        length = self._tokenizer.backend.num_special_tokens_to_add(record.pair is not None)
        unknown_tokens = 0
        for piece in (piece for part in _parts(record) for piece in pieces(part)):
            check_size(piece, f"{self._name}, {record.place}", "characters without a blank between letters")
            ids = self._tokenizer.encode_content(piece).ids
            length += len(ids)
            unknown_tokens += 0 if self._tokenizer.unk_id is None else ids.count(self._tokenizer.unk_id)
        return length, unknown_tokens


def _is_long(record: Record) -> bool:
    return len(record.text) > PIECE_CHARACTERS or (record.pair is not None and len(record.pair) > PIECE_CHARACTERS)


def _parts(record: Record) -> tuple[str, ...]:
    return (record.text,) if record.pair is None else (record.text, record.pair)
