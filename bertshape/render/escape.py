"""Make foreign text harmless: control and direction-changing characters are shown, not obeyed."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Cc and Cf: control and format characters (ANSI escapes, bidi overrides, zero-width joiners); Cs: lone surrogates;
# Zl and Zp: separators that break lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# No document of XML may hold these, JUnit and SVG included.
_NO_XML = "\ufffe\uffff"
# Letters, marks and symbols that show nothing: joiners of graphemes and fillers.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Choose how the character before them looks; in an emoji they do.
_SELECTOR = re.compile("(?<![\u2190-\u2bff\U0001f000-\U0001faff])[\ufe00-\ufe0f]|[\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    r"""Show control characters as escapes, so that a text cannot move the cursor, colour or reorder the screen.

    >>> visible("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _SELECTOR.sub(lambda found: _escape(found[0]), text)
    return "".join(_escape(character) if _is_hidden(character) else character for character in text)


def told_apart(names: Sequence[str]) -> list[str]:
    r"""The same, and by their escapes where two would look alike: those that Unicode composes from other characters.

    >>> told_apart(["\xe9", "e\u0301", "a"])
    ['\\xe9', 'e\\u0301', 'a']
    """
    composed = [unicodedata.normalize("NFC", name) for name in names]
    written: dict[str, set[str]] = {}
    for name, same in zip(names, composed, strict=True):
        written.setdefault(same, set()).add(name)
    return [
        visible(name if len(written[same]) == 1 else name.encode("unicode_escape").decode("ascii"))
        for name, same in zip(names, composed, strict=True)
    ]


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or character in _NO_XML or character in _BLANK


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def human_bytes(count: int) -> str:
    """Bytes as people read them, in powers of 1024: `24.0 KiB`."""
    if count < 1024:
        return f"{count} B"
    size = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if round(size, 1) < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"
