"""Vocabularies of SentencePiece (`.model`), read without its package: a protobuf message of pieces and their scores."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.tokens.risks import check_charsmap, check_length

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Numbers of fields in sentencepiece_model.proto.
_PIECE, _TRAINER, _NORMALIZER = 1, 2, 3
_TEXT, _SCORE, _TYPE = 1, 2, 3
_MODEL_TYPE, _UNK_ID = 3, 40
_CHARSMAP = 2
_NORMAL, _CONTROL, _USER_DEFINED, _BYTE = 1, 3, 4, 6
_UNIGRAM = 1
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_MOST_PIECES = 4_000_000
"""An empty piece takes two bytes in the file and a hundred in memory; known models have a million at most."""


@dataclass(frozen=True)
class Pieces:
    """What a file holds.

    Attributes:
        vocabulary: Pieces with their scores; the place of one is its id.
        added: Pieces that are never cut, each with whether it stands for no text.
        unk_id: Id of the unknown piece.
        unigram: Whether it is a Unigram model.
        charsmap: SentencePiece's normalization table, or None.
    """

    vocabulary: list[tuple[str, float]]
    added: list[tuple[str, bool]]
    unk_id: int
    unigram: bool
    charsmap: bytes | None


def read_pieces(content: bytes) -> Pieces:
    """Read a model.

    Args:
        content: The file.

    Raises:
        ValueError: It is no model of SentencePiece, or is cut short.
    """
    vocabulary, added = [], []
    unk_id, model_type, charsmap = 0, _UNIGRAM, b""
    for number, value in _fields(content):
        if not isinstance(value, bytes):
            continue
        if number == _PIECE:
            text, score, kind = _piece(value)
            vocabulary.append((text, score))
            if len(vocabulary) > _MOST_PIECES:
                raise ValueError(f"it has more than {_MOST_PIECES:,} pieces")
            if kind in (_CONTROL, _USER_DEFINED):
                added.append((text, kind == _CONTROL))
        elif number == _TRAINER:
            for field, said in _fields(value):
                if field == _UNK_ID and isinstance(said, int):
                    unk_id = said
                elif field == _MODEL_TYPE and isinstance(said, int):
                    model_type = said
        elif number == _NORMALIZER:
            charsmap = next((said for field, said in _fields(value) if field == _CHARSMAP), charsmap)  # type: ignore[assignment]
    if not vocabulary:
        raise ValueError("it is no model of SentencePiece: it has no pieces")
    check_length(max(len(text.encode("utf-8", "surrogatepass")) for text, _ in vocabulary))
    if charsmap:
        check_charsmap(charsmap)
    return Pieces(vocabulary, added, unk_id, model_type == _UNIGRAM, charsmap or None)


def charsmap_of(document: Mapping[str, Any]) -> bytes | None:
    """The normalization table that a tokenizer.json holds, or None."""
    normalizer = document.get("normalizer")
    if not normalizer:
        return None
    several = normalizer["normalizers"] if normalizer.get("type") == "Sequence" else [normalizer]
    for part in several:
        if part.get("type") == "Precompiled" and "precompiled_charsmap" in part:
            return base64.b64decode(part["precompiled_charsmap"])
    return None


def _piece(message: bytes) -> tuple[str, float, int]:
    text, score, kind = b"", 0.0, _NORMAL
    for number, value in _fields(message):
        if number == _TEXT and isinstance(value, bytes):
            text = value
        elif number == _SCORE and isinstance(value, float):
            score = value
        elif number == _TYPE and isinstance(value, int) and _NORMAL <= value <= _BYTE:
            kind = value
    return text.decode(), score, kind


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The fields of a message by their numbers: whole numbers, 32-bit floats, and bytes."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind, size = key & 7, 0
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield key >> 3, value - 2**64 if value >= 2**63 else value
            continue
        if kind == _BYTES:
            size, position = _varint(message, position)
        elif kind in (_FOUR_BYTES, _EIGHT_BYTES):
            size = 4 if kind == _FOUR_BYTES else 8
        else:
            raise ValueError("it is no model of SentencePiece: it is no protobuf message")
        taken = message[position : position + size]
        if len(taken) < size:
            raise ValueError("it is no model of SentencePiece, or is cut short")
        position += size
        if kind != _EIGHT_BYTES:
            yield key >> 3, taken if kind == _BYTES else struct.unpack("<f", taken)[0]


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, and where it ends."""
    value, shift = 0, 0
    while position < len(message) and shift < 70:
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise ValueError("it is no model of SentencePiece, or is cut short")
