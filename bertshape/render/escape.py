"""Make foreign text harmless: control and direction-changing characters are shown, not obeyed."""

from __future__ import annotations

import unicodedata

# Cc and Cf: control and format characters (ANSI escapes, bidi overrides, zero-width joiners); Cs: lone surrogates;
# Zl and Zp: separators that break lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# No document of XML may hold these, JUnit and SVG included.
_NO_XML = "\ufffe\uffff"


def visible(text: str) -> str:
    r"""Show control characters as escapes, so that a text cannot move the cursor, colour or reorder the screen.

    >>> visible("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escape(character) if unicodedata.category(character) in _HIDDEN or character in _NO_XML else character
        for character in text
    )


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
