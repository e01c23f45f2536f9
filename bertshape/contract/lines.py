"""Where in a contract file something stands: its line, found in the text, for TOML readers keep no lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.contract.expectations import parse_expectation
from bertshape.errors import BertshapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.contract.expectations import Expectation

_ENTRY = re.compile(r"\s*\[\[\s*(?:tool\s*\.\s*bertshape\s*\.\s*)?checkpoint\s*\]\]")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'')


class ContractLines:
    """The lines of one checkpoint of a contract."""

    def __init__(self, text: str, index: int) -> None:
        """Find the checkpoint.

        Args:
            text: The file.
            index: Which of its checkpoints, from 0.
        """
        lines = text.splitlines()
        starts = [number for number, line in enumerate(lines) if _ENTRY.match(line)]
        self._first = starts[index] if index < len(starts) else 0
        end = starts[index + 1] if index + 1 < len(starts) else len(lines)
        self._lines = lines[self._first : end] if starts else []

    def entry(self) -> int:
        """Line of the checkpoint's name, from 1."""
        return self.key("model")

    def key(self, *names: str) -> int:
        """Line of the first of these keys that is there, else of the checkpoint's header."""
        for name in names:
            start = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=")
            for number, line in enumerate(self._lines):
                if start.match(line):
                    return self._first + number + 1
        return self._first + 1

    def expectation(self, wanted: Expectation) -> int:
        """Line of an expectation, whatever spaces and aliases it is written with."""
        for number, line in enumerate(self._lines):
            if any(_same(text, wanted) for text in _strings(line)):
                return self._first + number + 1
        return self.key("expect")

    def text(self, text: str) -> int:
        """Line of the text of a case."""
        for number, line in enumerate(self._lines):
            if re.match(r"\s*text\s*=", line) and text in _strings(line):
                return self._first + number + 1
        return self.key("text")


def _strings(line: str) -> Iterator[str]:
    for found in _STRING.finditer(line):
        yield found[2] if found[1] is None else re.sub(r"\\(.)", r"\1", found[1])


def _same(text: str, wanted: Expectation) -> bool:
    try:
        return parse_expectation(text) == wanted
    except BertshapeError:
        return False
