"""Contracts -> TOML that reads back equal, as a new file or into one that a person has edited."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tomlkit

from bertshape.contract.contract import CASE_KEYS
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tomlkit.items import AoT, Array, Table

    from bertshape.contract.contract import CheckpointContract, ContractCase
    from bertshape.contract.shape_pattern import ShapePattern

LINE_LENGTH = 100
_IDS_ON_A_LINE = 12
_SURROGATE = re.compile("[\ud800-\udfff]")


def write_contract(contracts: Sequence[CheckpointContract], within: Sequence[str] = ()) -> str:
    """The text of a contract file, the same for the same contracts.

    Args:
        contracts: One for each checkpoint.
        within: Names of the tables around them, as `tool` and `bertshape` of pyproject.toml.

    Raises:
        UsageError: A name or text cannot be written in TOML.
    """
    document = tomlkit.document()
    place: tomlkit.TOMLDocument | Table = document
    for name in within:
        outer = tomlkit.table(is_super_table=True)
        place.add(name, outer)
        place = outer
    place.add("checkpoint", contract_tables(contracts))
    # TOML allows most of what cannot be seen inside of strings; in a file that people review it is escaped.
    return re.sub(r"[^\n]", lambda found: _visible(found[0]), valid_unicode(tomlkit.dumps(document)))


def valid_unicode(text: str) -> str:
    """The same text.

    Raises:
        UsageError: It holds half a character.
    """
    lone = _SURROGATE.search(text)
    if lone:
        raise UsageError(
            f"the lone surrogate U+{ord(lone[0]):04X} cannot be written in TOML",
            hint="Texts and names must be valid Unicode.",
            code="contract-unwritable",
        )
    return text


def contract_tables(contracts: Sequence[CheckpointContract]) -> AoT:
    """The tables `[[checkpoint]]`.

    Raises:
        UsageError: A name or text cannot be written in TOML.
    """
    tables = tomlkit.aot()
    for contract in contracts:
        tables.append(_checkpoint(contract))
    return tables


def case_table(case: ContractCase) -> Table:
    """The table of one case.

    Raises:
        UsageError: The name of a shape is a key of cases.
    """
    table = tomlkit.table()
    table.add("text", case.text)
    if case.pair is not None:
        table.add("pair", case.pair)
    if case.input_ids is not None:
        table.add("input_ids", ids_array(case.input_ids))
    for name, pattern in case.shapes.items():
        if name in CASE_KEYS:
            hint = "Put it among the expectations of the checkpoint."
            raise UsageError(f"a case cannot hold the shape of {name!r}", hint=hint, code="contract-unwritable")
        table.add(tomlkit.key(name), pattern_array(pattern))
    return table


def ids_array(input_ids: Sequence[int]) -> Array:
    """Token ids, on several lines where one would be too long."""
    array = tomlkit.array()
    if len(f"input_ids = {list(input_ids)}") <= LINE_LENGTH:
        array.extend(input_ids)
        return array
    for start in range(0, len(input_ids), _IDS_ON_A_LINE):
        array.add_line(*input_ids[start : start + _IDS_ON_A_LINE])
    array.add_line(indent="")
    return array


def pattern_array(pattern: ShapePattern) -> Array:
    """A shape."""
    array = tomlkit.array()
    array.extend(pattern.entries)
    return array


def _checkpoint(contract: CheckpointContract) -> Table:
    table = tomlkit.table()
    for name in ("model", "revision", "tokenizer"):
        value = getattr(contract, name)
        if value is not None:
            table.add(name, value)
    if contract.expect:
        # One per line, so that a changed expectation is one line of a diff.
        expect = tomlkit.array().multiline(True)
        expect.extend(map(str, contract.expect))
        table.add("expect", expect)
    if contract.tensors:
        tensors = tomlkit.table()
        for name, pattern in contract.tensors.items():
            tensors.add(tomlkit.key(name), pattern_array(pattern))
        table.add("tensors", tensors)
    if contract.values:
        values = tomlkit.table()
        for name, digest in contract.values.items():
            values.add(tomlkit.key(name), digest)
        table.add("values", values)
    if contract.cases:
        cases = tomlkit.aot()
        for case in contract.cases:
            cases.append(case_table(case))
        table.add("case", cases)
    return table


def _visible(character: str) -> str:
    number = ord(character)
    if character.isprintable():
        return character
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
