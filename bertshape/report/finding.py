"""Something that a person should know of a checkpoint or of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """Something a person should know.

    Attributes:
        code: Kebab-case name, stable across releases.
        severity: `error` makes the command exit with 1.
        message: One line: what, where, expected and actual.
        hint: What to do next, or empty.
        where: File or field to blame, such as `config.json num_hidden_layers`.
        expected: What should be there, where one value says it; a number is a number.
        actual: What is there.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    where: str | None = None
    expected: float | str | None = None
    actual: float | str | None = None
