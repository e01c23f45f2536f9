"""A shape that is expected: `[batch_size, sequence_length, 384]`, and how an actual one is checked against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from bertshape.shapes import TensorShape

ANY_SIZE = "_"
ANY_AXES = "..."
MAX_DIGITS = 18
"""Sizes and numbers with more digits would not fit the 64 bits of TOML and of tensors."""

_LIMIT: int = 10**MAX_DIGITS
_ENTRY = "a size, an axis name, '_' or '...'"
_EXAMPLE = "Write a shape as [batch_size, sequence_length, 384]; _ is any size, ... any axes."
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}(?![A-Za-z0-9_])|{_NAME.pattern}|\.\.\.")


@dataclass(frozen=True)
class AxisMismatch:
    """One axis that is not as a pattern wants it.

    Attributes:
        axis: Name of the axis in the actual shape; empty where the number of axes is wrong.
        expected: Size that the pattern wants; text where the number of axes is wrong.
        actual: Size that is there.
        note: The axis name that bound the size, in brackets, if one did.
    """

    axis: str
    expected: int | str
    actual: int | str
    note: str = ""


@dataclass(frozen=True)
class ShapePattern:
    """A shape that is expected; `str` gives the text that `parse_pattern` reads.

    Attributes:
        entries: A size, an axis name, `_` for any size, or `...` (once) for any number of axes.
    """

    entries: tuple[int | str, ...]

    def __post_init__(self) -> None:
        for number, entry in enumerate(self.entries, start=1):
            # TOML and JSON callers pass anything; True is an int to Python, never a size to a person.
            if isinstance(entry, bool) or not isinstance(entry, (int, str)) or not _is_entry(entry):
                _invalid(f"entry {number} of a shape is {entry!r}; expected {_ENTRY}")
            if entry == ANY_AXES and ANY_AXES in self.entries[: number - 1]:
                _invalid(f"entry {number} of the shape {self} is '...' again; expected it once at most")

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.entries))}]"

    def match(self, shape: TensorShape, bindings: dict[str, int]) -> list[AxisMismatch]:
        """Compare with an actual shape.

        Args:
            shape: The actual shape.
            bindings: Sizes that axis names stand for; names met for the first time are added.

        Returns:
            Every axis that differs, from left to right; one mismatch where the number of axes does.
        """
        fixed = len(self.entries) - self.entries.count(ANY_AXES)
        count = len(shape.sizes)
        if count < fixed or (count > fixed and ANY_AXES not in self.entries):
            least = "at least " if ANY_AXES in self.entries else ""
            return [AxisMismatch("", f"{least}{_axes(fixed)} {self}", f"{_axes(count)} {shape.by_size}")]
        entries = list(self.entries)
        if ANY_AXES in entries:
            at = entries.index(ANY_AXES)
            entries[at : at + 1] = [ANY_SIZE] * (count - fixed)
        mismatches = []
        for entry, axis, size in zip(entries, shape.axes, shape.sizes, strict=True):
            wanted = entry if isinstance(entry, int) else size
            source = ""
            if isinstance(entry, str) and entry != ANY_SIZE:
                wanted, source = bindings.setdefault(entry, size), f" ({entry})"
            if wanted != size:
                mismatches.append(AxisMismatch(axis, wanted, size, source))
        return mismatches


def parse_pattern(text: str) -> ShapePattern:
    """Read a pattern such as `[batch_size, sequence_length, 384]`.

    Raises:
        UsageError: The text is no pattern; the message has the position, counted from 1, and what was expected there.
    """
    at = _skip(text, 0)
    if not text.startswith("[", at):
        _unexpected(text, at, "'['")
    at = _skip(text, at + 1)
    entries: list[int | str] = []
    while entries or not text.startswith("]", at):
        token = _TOKEN.match(text, at)
        if token is None:
            _unexpected(text, at, f"{_ENTRY}" if entries else f"{_ENTRY}, or ']'")
        entries.append(int(token[0]) if token[0].isdigit() else token[0])
        at = _skip(text, token.end())
        if text.startswith("]", at):
            break
        if not text.startswith(",", at):
            _unexpected(text, at, "',' or ']'")
        at = _skip(text, at + 1)
    at = _skip(text, at + 1)
    if at < len(text):
        _unexpected(text, at, "the end after ']'")
    return ShapePattern(tuple(entries))


def pattern_from_list(entries: Sequence[object]) -> ShapePattern:
    """The pattern that a list of sizes and names stands for, as TOML has them.

    Raises:
        UsageError: An entry is neither a size nor a name.
    """
    return ShapePattern(tuple(entries))  # type: ignore[arg-type]  # the class checks its entries


def _is_entry(entry: int | str) -> bool:
    if isinstance(entry, int):
        return 0 <= entry < _LIMIT
    return entry == ANY_AXES or _NAME.fullmatch(entry) is not None


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _unexpected(text: str, at: int, expected: str) -> NoReturn:
    found = repr(text[at]) if at < len(text) else "the end"
    _invalid(f"the shape {text!r} has {found} at position {at + 1}; expected {expected}")


def _invalid(message: str) -> NoReturn:
    raise UsageError(message, hint=_EXAMPLE, code="shape-pattern-invalid")
