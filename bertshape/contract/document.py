"""A TOML file as tables, whose checks of form name the value that is wrong: `checkpoint[0].expect[1]`."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

from bertshape.errors import CheckpointError, UsageError
from bertshape.files import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Kind = TypeVar("Kind", str, int, list[object], dict[str, object])
Where = tuple[str | int, ...]
"""Keys, and positions in lists, from the top of the document to a value."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_HINT = "See docs/check.md, or let it be written: bertshape snapshot CHECKPOINT -o FILE"
_KINDS = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    list: "a list in [ ]",
    dict: "a table",
}


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file.

    Raises:
        UsageError: The file cannot be read or is no TOML.
    """
    try:
        text = read_text(path)
    except CheckpointError as error:
        raise invalid(f"{error.message}; expected a contract file", error.hint) from error
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise too_deep(path) from error
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from error
    except ValueError as error:  # Python's limit on digits
        raise invalid(f"{path}: a number has thousands of digits; expected 18 at most") from error


def invalid(message: str, hint: str = "") -> UsageError:
    """The error for a file that is no contract."""
    return UsageError(message, hint=hint or _HINT, code="contract-invalid")


def too_deep(path: Path) -> UsageError:
    """The error for tables in tables without end."""
    return invalid(f"{path} is nested too deeply; expected a contract")


@dataclass(frozen=True)
class Table:
    """A table of a document, or the document as a whole.

    Attributes:
        path: The file.
        where: Keys and positions that lead to the table.
        values: What it holds.
    """

    path: Path
    where: Where
    values: dict[str, object]

    def fail(self, where: Where, what: str, hint: str = "") -> NoReturn:
        """Stop at a value.

        Args:
            where: Keys and positions that lead to the value from this table.
            what: What is wrong and what was expected.
            hint: The next step.

        Raises:
            UsageError: Always.
        """
        place = _shown((*self.where, *where))
        between = " " if what.startswith("is ") else ": "
        raise invalid(f"{self.path}: {place}{between if place else ''}{what}", hint)

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
                self.fail((key,), f"unknown key; {expected}", hint)

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

    def table(self, key: str) -> Table:
        """The table under a key; empty where there is none.

        Raises:
            UsageError: There is something else under the key.
        """
        return Table(self.path, (*self.where, key), self.get(key, dict) or {})

    def tables(self, key: str) -> list[Table]:
        """The tables under `[[key]]`.

        Raises:
            UsageError: There is something else under the key.
        """
        if isinstance(self.values.get(key), dict):
            header = ".".join([*(part for part in self.where if isinstance(part, str)), key])
            self.fail((key,), f"is one table; expected [[{header}]]", "Double the brackets.")
        tables: list[dict[str, object]] = self.items(key, dict)
        return [Table(self.path, (*self.where, key, index), table) for index, table in enumerate(tables)]

    def checked(self, value: object, kind: type[Kind], *where: str | int) -> Kind:
        """A value of this table that must be of one kind.

        Raises:
            UsageError: It is of another kind.
        """
        # Not isinstance: true and false are integers to Python.
        if type(value) is not kind:
            self.fail(where, f"is {_KINDS.get(type(value), 'a date or time')}; expected {_KINDS[kind]}")
        return value


def _shown(where: Where) -> str:
    """A place as a person would write it: `checkpoint[0].tensors."a.b"`."""
    parts = ""
    for part in where:
        if isinstance(part, int):
            parts += f"[{part}]"
        else:
            parts += ("." if parts else "") + (part if _BARE_KEY.fullmatch(part) else json.dumps(part))
    return parts


def _not_toml(path: Path, text: str, message: str) -> UsageError:
    """The error for a file that is no TOML, with the line in question."""
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    problem = message[: place.start()] if place else message
    lines = text.rstrip("\n").split("\n")
    line, column = (int(place[1]), int(place[2])) if place and place[1] else (len(lines), len(lines[-1]) + 1)
    reads = lines[line - 1].strip()[:80] if line <= len(lines) else ""
    where = f"{path}, line {line}, column {column}"
    return invalid(f"{where}: {problem[:1].lower()}{problem[1:]}; expected valid TOML", f"The line reads: {reads}")
