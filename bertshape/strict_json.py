"""JSON without what Python's reader silently accepts: names twice in one object, NaN, endless nesting.

It is read as the safetensors library reads it, whose parser (Rust's serde_json) and Python's differ at the edges:
Python takes `NaN`, infinite numbers, half surrogate pairs, `-0` as an integer and any nesting up to its recursion
limit. A header that only one of the two accepts would pass a check here and fail to load, or the reverse.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections import Counter
from typing import NoReturn

from bertshape.errors import CheckpointError

MAX_DEPTH = 127
"""Deepest nesting of arrays and objects that serde_json takes."""
MAX_INTEGER = 2**64 - 1
"""Largest integer that serde_json keeps as an integer, and largest offset in a file."""

MAX_VALUES = 3_000_000
"""More brackets and commas than this are not parsed: each stands for an object of some 60 bytes, and JSON of 100 MB
would take 3 GB. A header of 300,000 tensors has as many."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 100


def quoted(value: object) -> str:
    """A value from a file for an error message: on one line, escaped, and cut if it is long."""
    return _short.repr(value)


def check_values(data: bytes, *, subject: str, code: str) -> None:
    """Refuse JSON that would take far more memory than it has bytes; for texts that may be large.

    Raises:
        CheckpointError: Code `...-size`; it has more than `MAX_VALUES` brackets and commas.
    """
    count = sum(map(data.count, (b"{", b"[", b",")))
    if count > MAX_VALUES:
        raise CheckpointError(
            f"{subject} has {count:,} brackets and commas; expected at most {MAX_VALUES:,}",
            hint="Download the file again: no checkpoint has so many tensors.",
            code=f"{code}-size",
        )


def parse_object(data: bytes, *, subject: str, code: str) -> dict[str, object]:
    """Parse a JSON object strictly; arguments and errors are those of `parse`."""
    document = parse(data, subject=subject, code=code)
    if not isinstance(document, dict):
        raise CheckpointError(
            f"{subject} is {quoted(document)}; expected a JSON object",
            hint="Download the file again.",
            code=f"{code}-json",
        )
    return document


def parse(data: bytes, *, subject: str, code: str) -> object:
    """Parse a JSON value strictly.

    Args:
        data: UTF-8 text.
        subject: What the text is, for messages: "the header of model.safetensors".
        code: Beginning of the error code: `weights-header`.

    Raises:
        CheckpointError: Code `...-duplicate` for a key that comes twice in an object, `...-json` for the rest.
    """
    try:
        document = json.loads(
            data.decode(),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
        _check_depth_and_text(document)
    except _DuplicateKeyError as error:
        raise CheckpointError(
            f"{subject} has the key {quoted(error.key)} twice in one object; expected it once",
            hint="Write the file again: readers differ in which of the two they take.",
            code=f"{code}-duplicate",
        ) from None
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        marked = data.startswith(b"\xef\xbb\xbf")
        hint = "Save it again as UTF-8 without a byte order mark." if marked else "Download the file again."
        raise CheckpointError(f"{subject} is not valid JSON: {reason}", hint=hint, code=f"{code}-json") from error
    return document


class _DuplicateKeyError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _DuplicateKeyError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return document


def _integer(text: str) -> int | float:
    """An integer, or a float where serde_json makes one: `-0`, and more digits than 64 bits can hold."""
    return _finite(text) if text == "-0" or len(text) > len(str(MAX_INTEGER)) else int(text)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"number out of range: {quoted(text)}")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON value")


def _check_depth_and_text(document: object) -> None:
    """Walk the document level by level, so that deep nesting costs no recursion here.

    Raises:
        RecursionError: It is nested deeper than `MAX_DEPTH`.
        UnicodeEncodeError: A string holds half a surrogate pair, which is no text.
    """
    level, depth = [document], 0
    while level:
        below: list[object] = []
        for value in level:
            if isinstance(value, str):
                value.encode()
            elif isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
        depth += any(isinstance(value, dict | list) for value in level)
        if depth > MAX_DEPTH:
            raise RecursionError
        level = below
