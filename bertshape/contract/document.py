"""A TOML file with the line of every value, and checks of form that name it."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

from bertshape.contract.lines import find_lines, line_of
from bertshape.errors import CheckpointError, UsageError
from bertshape.files import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bertshape.contract.lines import Path as Where

Kind = TypeVar("Kind", str, int, list[object], dict[str, object])

_EXPECTED = {
    "cannot": "each name once",
    "duplicate": "each name once",
    "illegal character": "a closing quote in the same line",
    "invalid initial character": "a key",
    "invalid statement": "KEY = VALUE or [TABLE]",
    "invalid value": "a string in quotes, a number, a list or a table",
    "unclosed array": "]",
    "unclosed inline table": "}",
    "unescaped": "two backslashes, or a string in single quotes",
    "unterminated string": "a closing quote",
}
"""What tomllib leaves unsaid, by the beginning of its message."""

_HINT = "See docs/check.md, or let it be written: bertshape snapshot CHECKPOINT -o FILE"
_KINDS = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    list: "a list in [ ]",
    dict: "a table",
}


class Document:
    """A TOML file.

    Attributes:
        path: Where it is.
        values: What it holds.

    Raises:
        UsageError: The file cannot be read or is no TOML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = read_text(path)
        except CheckpointError as error:
            raise UsageError(_unreadable(error), hint=error.hint, code="contract-invalid") from error
        try:
            self.values: dict[str, object] = tomllib.loads(self._text)
        except RecursionError as error:
            raise self.too_deep() from error
        except tomllib.TOMLDecodeError as error:
            raise self._not_toml(str(error)) from error
        except ValueError as error:  # Python's limit on digits, of which tomllib says no line
            longest = max(re.finditer(r"[0-9_]+", self._text), key=lambda digits: len(digits[0]))
            line = self._text.count("\n", 0, longest.start()) + 1
            raise self._broken("a number has thousands of digits; expected 18 at most", line) from error

    def fail(self, where: Where, what: str, hint: str = "") -> NoReturn:
        """Stop at a value.

        Args:
            where: Keys and positions that lead to the value.
            what: What is wrong and what was expected.
            hint: The next step.
        """
        raise self._broken(what, line_of(find_lines(self._text), where), hint)

    def too_deep(self) -> UsageError:
        """The error for tables in tables without end, whose lines cannot be looked for either."""
        return self._broken("the file is nested too deeply; expected a contract", 1)

    def _not_toml(self, message: str) -> UsageError:
        place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
        problem = message[: place.start()] if place else message
        problem = problem[:1].lower() + problem[1:]
        lines = self._text.rstrip("\n").split("\n")
        line, column = (int(place[1]), f", column {place[2]}") if place and place[1] else (len(lines), "")
        expected = next((what for start, what in _EXPECTED.items() if problem.startswith(start)), "valid TOML")
        more = "" if problem.startswith("expected") else f"; expected {expected}"
        reads = lines[line - 1].strip()[:80] if line <= len(lines) else ""
        shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in reads)
        return self._broken(f"{problem}{more}", line, f"The line reads: {shown}", column)

    def _broken(self, what: str, line: int, hint: str = "", column: str = "") -> UsageError:
        return UsageError(f"{self.path}, line {line}{column}: {what}", hint=hint or _HINT, code="contract-invalid")


@dataclass(frozen=True)
class Table:
    """A table of a document, or the document as a whole.

    Attributes:
        document: The document.
        where: Keys and positions that lead to the table.
        values: What it holds.
    """

    document: Document
    where: Where
    values: dict[str, object]

    def only(self, known: Sequence[str]) -> None:
        """Refuse every other key.

        Raises:
            UsageError: There is one; the hint has the nearest known keys.
        """
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=2, cutoff=0.5)
                hint = f"Did you mean {' or '.join(near)}?" if near else ""
                expected = f"expected {'one of ' if len(known) > 1 else ''}{', '.join(known)}"
                self.document.fail((*self.where, key), f"unknown key {key!r}; {expected}", hint)

    def get(self, key: str, kind: type[Kind]) -> Kind | None:
        """The value of a key, which need not be there.

        Raises:
            UsageError: It is of another kind.
        """
        return self.checked(self.values[key], kind, key) if key in self.values else None

    def items(self, key: str, kind: type[Kind]) -> list[Kind]:
        """The elements of a list, which need not be there.

        Raises:
            UsageError: The value is no list, or an element is of another kind.
        """
        elements = self.get(key, list) or []
        return [self.checked(element, kind, key, index) for index, element in enumerate(elements)]

    def tables(self, key: str) -> list[Table]:
        """The tables under `[[key]]`.

        Raises:
            UsageError: There is something else under the key.
        """
        header = ".".join([*(part for part in self.where if isinstance(part, str)), key])
        if isinstance(self.values.get(key), dict):
            self.document.fail((*self.where, key), f"one table {key}; expected [[{header}]]", "Double the brackets.")
        tables: list[dict[str, object]] = self.items(key, dict)
        return [Table(self.document, (*self.where, key, index), table) for index, table in enumerate(tables)]

    def checked(self, value: object, kind: type[Kind], *where: str | int) -> Kind:
        """A value of this table that must be of one kind.

        Raises:
            UsageError: It is of another kind.
        """
        # Not isinstance: true and false are integers to Python.
        if type(value) is not kind:
            found = _KINDS.get(type(value), "a date or time")
            name = ".".join(map(str, where))
            self.document.fail((*self.where, *where), f"{name} is {found}; expected {_KINDS[kind]}")
        return value


def _unreadable(error: CheckpointError) -> str:
    """The message, with the line where the trouble is in the bytes of the file."""
    cause = error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        line = cause.object.count(b"\n", 0, cause.start) + 1
        return f"{error.message}, line {line}; expected UTF-8"
    return f"{error.message}; expected a contract file"
