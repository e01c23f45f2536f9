"""In which line of a TOML file a value stands: tomllib gives values alone, and an error without a line helps nobody."""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]
"""Keys, and positions in arrays, from the top of the document to a value."""

_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    flags=re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
_SPACE = re.compile(r"[ \t]*")
# Commas too: in a valid document, nothing depends on where they stand.
_BETWEEN = re.compile(r"(?:[\s,]+|#[^\n]*)*")


def find_lines(text: str) -> dict[Path, int]:
    """Line, counted from 1, of every key and array element.

    Args:
        text: A document that tomllib has read without an error.
    """
    scanner = _Scanner(text)
    scanner.document()
    lines, line, before = {}, 1, 0
    for path, at in sorted(scanner.found.items(), key=lambda item: item[1]):
        line += text.count("\n", before, at)
        lines[path], before = line, at
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Line of a value, or of the nearest thing around it that has one."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)


class _Scanner:
    """One pass over a document that is known to be valid, so that every branch may trust what it sees."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self.skip(_BETWEEN) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        start, repeated = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if repeated else 1
        *outer, last = self.key()
        self.at += 2 if repeated else 1
        path: Path = ()
        for part in outer:
            path = (*path, part)
            self.found.setdefault(path, start)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        path = (*path, last)
        self.found.setdefault(path, start)
        if repeated:
            self.counts[path] = self.counts.get(path, 0) + 1
            path = (*path, self.counts[path] - 1)
            self.found[path] = start
        return path

    def pair(self, table: Path) -> None:
        start, path = self.at, table
        for part in self.key():
            path = (*path, part)
            self.found.setdefault(path, start)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)

    def key(self) -> list[str]:
        """A dotted key, and the space around it."""
        parts: list[str] = []
        while True:
            self.skip(_SPACE)
            found = _STRING.match(self.text, self.at) or _BARE_KEY.match(self.text, self.at)
            if found is None:
                return parts
            quoted = found[0][0] in "\"'"
            parts.append(tomllib.loads(f"key = {found[0]}")["key"] if quoted else found[0])
            self.at = found.end()
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def value(self, path: Path) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self.inside("]", path)
        elif opening == "{":
            self.inside("}", path)
        else:
            self.skip(_STRING if _STRING.match(self.text, self.at) else _BARE_VALUE)

    def inside(self, closing: str, path: Path) -> None:
        """An array or an inline table."""
        self.at += 1
        index = 0
        while self.skip(_BETWEEN) < len(self.text) and not self.text.startswith(closing, self.at):
            if closing == "}":
                self.pair(path)
            else:
                self.found[(*path, index)] = self.at
                self.value((*path, index))
                index += 1
        self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> int:
        """Move over a match, and say where that leads."""
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at
