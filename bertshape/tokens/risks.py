"""What a tokenizer's file may hold that would end the process, or fill its memory, before any error could be raised."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHARSMAP = re.compile(rb'"precompiled_charsmap"\s*:\s*("(?:[^"\\]|\\.)*")')
_ESCAPED_KEY = re.compile(rb'\\u[0-9a-fA-F]{4}[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*"')
_MOST_BYTES = 50_000
"""Bytes of one token: the library's tree of tokens is as deep, and one of 200,000 ends the process by its recursion."""
_MOST_GROWTH = 1_000
"""Characters that a normalizer may make of one; SentencePiece's tables and all known tokenizers stay below 20."""
_MOST_PIECES = 1_000
"""Tokens and texts of a template; those that are used have 5."""


def check_content(content: bytes) -> None:
    """Refuse what makes the library end the process while it reads a file.

    That is a table of SentencePiece that is shorter than it says, for which it takes memory of that size, and a token
    that is longer than any.

    Args:
        content: tokenizer.json.

    Raises:
        ValueError: A table is cut, or no base64, or a token is too long.
    """
    if _ESCAPED_KEY.search(content):  # It could be that of a table.
        raise ValueError("one of its keys is written with escapes")
    for found in _CHARSMAP.finditer(content):
        try:
            table = base64.b64decode(json.loads(found[1]))
        except (binascii.Error, ValueError) as error:
            raise ValueError("its precompiled_charsmap is no base64") from error
        check_charsmap(table)

    # With what is escaped out of the way, every second piece between quotation marks is a string.
    rest = _CHARSMAP.sub(b"", content) if b"precompiled_charsmap" in content else content
    pieces = rest.replace(rb"\\", b"__").replace(rb"\"", b"__").split(b'"')
    check_length(max(map(len, pieces[1::2]), default=0))


def check_length(longest: int) -> None:
    """Refuse a token that is longer than any.

    Args:
        longest: Bytes of the longest token.

    Raises:
        ValueError: It is.
    """
    if longest > _MOST_BYTES:
        raise ValueError(f"one of its tokens has {longest:,} bytes, expected at most {_MOST_BYTES:,}")


def check_charsmap(table: bytes) -> None:
    """Refuse a table of SentencePiece that is shorter than it says.

    Args:
        table: Its bytes.

    Raises:
        ValueError: It is cut.
    """
    size = int.from_bytes(table[:4], "little")
    if len(table) < 4 or size > len(table) - 4:
        raise ValueError(f"its precompiled_charsmap has {len(table)} bytes, and names a table of {size} inside")


def check_growth(normalizer: Mapping[str, Any] | None) -> None:
    """Refuse a normalizer whose parts multiply a text beyond all use.

    Args:
        normalizer: Its state.

    Raises:
        ValueError: It makes more characters of one than any normalizer that is used.
    """
    growth = 1 if normalizer is None else _growth(normalizer)
    if growth > _MOST_GROWTH:
        raise ValueError(f"its normalizer makes up to {growth:.0e} characters of one, at most {_MOST_GROWTH} are taken")


def _growth(normalizer: Mapping[str, Any]) -> int:
    if normalizer["type"] == "Sequence":
        growth = 1
        for part in normalizer["normalizers"]:
            growth *= _growth(part)
        return growth
    if normalizer["type"] == "Prepend":
        return max(1, len(normalizer["prepend"]))
    if normalizer["type"] != "Replace":
        return 1
    pattern = normalizer["pattern"]
    shortest = max(1, len(pattern["String"])) if "String" in pattern else 1
    return max(1, -(-len(normalizer["content"]) // shortest))


def check_template(post_processor: Mapping[str, Any] | None) -> None:
    """Refuse a template that puts more special tokens around a text than any model takes.

    Args:
        post_processor: Its state.

    Raises:
        ValueError: It has more pieces than any template that is used.
    """
    most = 0 if post_processor is None else _pieces(post_processor)
    if most > _MOST_PIECES:
        raise ValueError(f"its template has {most:,} pieces, at most {_MOST_PIECES:,} are taken")


def _pieces(post_processor: Mapping[str, Any]) -> int:
    if post_processor["type"] == "Sequence":
        return sum(_pieces(part) for part in post_processor["processors"])
    if post_processor["type"] != "TemplateProcessing":
        return 0
    ids = {name: len(token["ids"]) for name, token in post_processor["special_tokens"].items()}
    named = (
        [ids.get(piece["SpecialToken"]["id"], 1) if "SpecialToken" in piece else 1 for piece in post_processor[side]]
        for side in ("single", "pair")
    )
    return max(map(sum, named))
