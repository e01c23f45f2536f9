"""Contracts -> TOML that reads back equal."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from bertshape.contract.contract import CASE_KEYS
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.contract.contract import CheckpointContract, ContractCase
    from bertshape.contract.shape_pattern import ShapePattern

LINE_LENGTH = 100
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def write_contract(contracts: Sequence[CheckpointContract]) -> str:
    """The text of a contract file, the same for the same contracts.

    Raises:
        UsageError: A name or text cannot be written in TOML.
    """
    return "\n".join("\n".join(_checkpoint(contract)) + "\n" for contract in contracts)


def _checkpoint(contract: CheckpointContract) -> Iterator[str]:
    yield "[[checkpoint]]"
    yield f"model = {_string(contract.model)}"
    if contract.revision is not None:
        yield f"revision = {_string(contract.revision)}"
    if contract.tokenizer is not None:
        yield f"tokenizer = {_string(contract.tokenizer)}"
    if contract.expect:
        # One a line, so that a changed expectation is one line of a diff.
        yield "expect = ["
        yield from (f"    {_string(str(expectation))}," for expectation in contract.expect)
        yield "]"
    if contract.tensors:
        yield "\n[checkpoint.tensors]"
        yield from (f"{_key(name)} = {_pattern(pattern)}" for name, pattern in contract.tensors.items())
    for case in contract.cases:
        yield from _case(case)


def _case(case: ContractCase) -> Iterator[str]:
    yield "\n[[checkpoint.case]]"
    yield f"text = {_string(case.text)}"
    if case.pair is not None:
        yield f"pair = {_string(case.pair)}"
    if case.input_ids is not None:
        yield _ids(case.input_ids)
    for name, pattern in case.shapes.items():
        if name in CASE_KEYS:
            hint = "Put it among the expectations of the checkpoint."
            raise UsageError(f"a case cannot hold the shape of {name!r}", hint=hint, code="contract-unwritable")
        yield f"{_key(name)} = {_pattern(pattern)}"


def _ids(input_ids: Sequence[int]) -> str:
    line = f"input_ids = [{', '.join(map(str, input_ids))}]"
    if len(line) <= LINE_LENGTH:
        return line
    inside = textwrap.fill(
        ", ".join(map(str, input_ids)) + ",", LINE_LENGTH, initial_indent="    ", subsequent_indent="    "
    )
    return f"input_ids = [\n{inside}\n]"


def _pattern(pattern: ShapePattern) -> str:
    return f"[{', '.join(str(entry) if isinstance(entry, int) else _string(entry) for entry in pattern.entries)}]"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    return f'"{"".join(map(_character, text))}"'


def _character(character: str) -> str:
    """A character inside a basic string; what cannot be seen is escaped, though TOML would allow some of it."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:
        raise UsageError(
            f"the lone surrogate U+{number:04X} cannot be written in TOML",
            hint="Texts and names must be valid Unicode.",
            code="contract-unwritable",
        )
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
