"""What a file of texts is, and what it gives: one record per text, or the reason why a line is none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from bertshape.errors import UsageError
from bertshape.strict_json import quoted
from bertshape.wording import near_names

if TYPE_CHECKING:
    from collections.abc import Sequence

InputFormat = Literal["txt", "jsonl", "csv", "tsv", "parquet"]
Unit = Literal["line", "row", "text"]
"""What the numbers of texts count: lines of a file, rows of Parquet, texts that came from Python."""
MAX_BYTES = 16 * 1024 * 1024
"""A longer line, row or field is no text, and is not read into memory. JSON of that size takes 600 MB at most."""
_ENDINGS: dict[str, InputFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_SHOWN_NAMES = 10


@dataclass(frozen=True)
class TextFile:
    """A file of texts, and how to read it.

    Attributes:
        path: The file; `-` is stdin.
        input_format: Its format; None takes it from the ending of the name, with or without `.gz` behind it.
        text_column: Column of the texts in CSV, TSV and Parquet, and their key in JSON lines.
        pair_column: The same of the second texts. None takes `pair` where there is one.
        id_column: The same of the names of the texts. None takes `id` where there is one.
    """

    path: str
    input_format: InputFormat | None = None
    text_column: str = "text"
    pair_column: str | None = None
    id_column: str | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "stdin" if self.path == "-" else self.path

    @property
    def compressed(self) -> bool:
        """Whether its name says that it is compressed by gzip."""
        return self.path.lower().endswith(".gz")

    @property
    def format(self) -> InputFormat:
        """The format that was named, else that of the ending, else lines."""
        bare = self.path[: -len(".gz")] if self.compressed else self.path
        return self.input_format or _ENDINGS.get(PurePath(bare).suffix.lower(), "txt")


@dataclass(frozen=True, slots=True)
class Record:
    """One text of a file.

    Attributes:
        line: Number of its line, from 1: the first of several lines in CSV, the number of the row in Parquet.
        text: The text.
        pair: The second text, or None.
        id: What the file calls it, or None.
        unit: What `line` counts.
    """

    line: int
    text: str
    pair: str | None = None
    id: str | int | None = None
    unit: Unit = "line"

    @property
    def place(self) -> str:
        """Where it stands in its file, for messages."""
        return f"{self.unit} {self.line}"


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A line, or row, that holds no text.

    Attributes:
        line: Its number, as that of a record.
        error: Why; the message names the file and the line.
        id: What the file calls it, where that could be read.
    """

    line: int
    error: UsageError
    id: str | int | None = None


def bad_record(
    file: TextFile,
    line: int,
    what: str,
    hint: str = "Fix the file, or leave the line out.",
    *,
    unit: Unit = "line",
    given: object = None,
) -> BadRecord:
    """A line that is no text.

    Args:
        file: Its file.
        line: Its number.
        what: What is wrong with it, as a predicate: `is not UTF-8`.
        hint: What to do.
        unit: What `line` counts.
        given: The id that it has, whatever that is.
    """
    kept = given if isinstance(given, str | int) and not isinstance(given, bool) else None
    return BadRecord(line, UsageError(f"{file.name}, {unit} {line} {what}", hint=hint, code="line-invalid"), kept)


def missing_column(file: TextFile, column: str, names: Sequence[str]) -> UsageError:
    """The error of a column that a file lacks."""
    message = f"{file.name} has no column {quoted(column)}"
    return UsageError(message, hint=hint_of_names(file, column, names), code="column-missing")


def hint_of_names(file: TextFile, column: str, names: Sequence[str]) -> str:
    """Which columns, or keys, could be named instead; short, however many there are."""
    options = {file.pair_column: "--pair-column", file.id_column: "--id-column", file.text_column: "--text-column"}
    shown = ", ".join(quoted(name) for name in names[:_SHOWN_NAMES]) or "none"
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    return f"Pass {options[column]} with one of those that are there: {shown}{more}."


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes that are no text, as a predicate."""
    return f"is not UTF-8: {error.reason} 0x{error.object[error.start]:02x} at byte {error.start + 1}"


def unreadable(file: TextFile, reason: object, hint: str | None = None) -> UsageError:
    """The error of a file that cannot be opened, or not be read on."""
    return UsageError(f"cannot read {file.name}: {reason}", hint=hint or _meant(file.path), code="file-unreadable")


def _meant(path: str) -> str:
    """What may have been meant by a file that cannot be opened."""
    if os.path.isdir(path):
        if os.path.isfile(os.path.join(path, "config.json")):
            return f"It is the folder of a checkpoint: pass it as -m {path}, and a file of texts."
        return f"Pass its files, such as {os.path.join(path, '*.txt')}."
    near = near_names(path, folders=False)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return "Check the path; - reads stdin" + (": texts come from files, one per line." if " " in path else ".")
