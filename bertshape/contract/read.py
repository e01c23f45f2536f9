"""A contract file -> contracts; whatever is wrong in it is named with its place in the file."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from bertshape.contract.contract import CASE_KEYS, CHECKPOINT_KEYS, CheckpointContract, ContractCase
from bertshape.contract.document import Table, invalid, read_toml, too_deep
from bertshape.contract.expectations import parse_expectation
from bertshape.contract.shape_pattern import pattern_from_list
from bertshape.errors import CheckpointError, UsageError
from bertshape.files import exists

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bertshape.contract.expectations import Expectation
    from bertshape.contract.shape_pattern import ShapePattern

CONTRACT_NAME = "bertshape.toml"
PROJECT_NAME = "pyproject.toml"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_EMPTY = 'Write one: [[checkpoint]], and below it model = "..." and expect = ["hidden_size=384"].'


def find_contract(folder: Path) -> Path | None:
    """The contract file of a folder: `bertshape.toml`, else a `pyproject.toml` with `[tool.bertshape]`.

    Raises:
        UsageError: The folder cannot be looked into.
    """
    own, project = folder / CONTRACT_NAME, folder / PROJECT_NAME
    try:
        if exists(own):
            return own
        if not exists(project):
            return None
    except CheckpointError as error:
        raise invalid(error.message, error.hint) from error
    try:
        return project if holds_contract(project) else None
    except UsageError:
        # Whether it holds a contract cannot be known: reading it says what is broken.
        return project


def holds_contract(project: Path) -> bool:
    """Whether a `pyproject.toml` has a table `[tool.bertshape]`.

    Raises:
        UsageError: The file cannot be read or is no TOML.
    """
    tool = read_toml(project).get("tool")
    return isinstance(tool, dict) and "bertshape" in tool


def read_contract(path: Path) -> tuple[CheckpointContract, ...]:
    """Read a contract file; in a file named pyproject.toml, the table `[tool.bertshape]`.

    Raises:
        UsageError: The file cannot be read or is no contract; the message has the place and what was expected.
    """
    try:
        return _contracts(Table(path, (), read_toml(path)))
    except RecursionError as error:
        raise too_deep(path) from error


def _contracts(top: Table) -> tuple[CheckpointContract, ...]:
    if top.path.name == PROJECT_NAME:
        if "bertshape" not in top.table("tool").values:
            top.fail((), "there is no [tool.bertshape]; expected [[tool.bertshape.checkpoint]]", _EMPTY)
        top = top.table("tool").table("bertshape")
    top.only(("checkpoint",))
    contracts = tuple(_checkpoint(table, index) for index, table in enumerate(top.tables("checkpoint")))
    if not contracts:
        top.fail((), "there is no checkpoint; expected [[checkpoint]]", _EMPTY)
    return contracts


def _checkpoint(table: Table, index: int) -> CheckpointContract:
    table.only(CHECKPOINT_KEYS)
    tokenizer = table.get("tokenizer", str)
    if tokenizer is not None and not _DIGEST.fullmatch(tokenizer):
        problem = f"is {tokenizer!r}; expected sha256: and 64 hexadecimal digits"
        table.fail(("tokenizer",), problem, "`bertshape snapshot` writes it.")
    return CheckpointContract(
        model=_required(table, "model"),
        revision=table.get("revision", str),
        expect=tuple(_expectations(table)),
        tokenizer=tokenizer,
        tensors=_shapes(table.table("tensors")),
        values=_digests(table.table("values")),
        cases=tuple(map(_case, table.tables("case"))),
        folder=str(table.path.parent),
        file=str(table.path),
        index=index,
    )


def _digests(table: Table) -> dict[str, str]:
    """Digests of stored numbers by the part of the model that they are of."""
    found = {}
    for where, value in _leaves(table.values):
        if not isinstance(value, str) or not _DIGEST.fullmatch(value):
            problem = f"is {str(value)[:80]!r}; expected sha256: and 64 hexadecimal digits"
            table.fail(where, problem, "`bertshape snapshot --values` writes it.")
        found[".".join(where)] = value
    return found


def _expectations(table: Table) -> Iterator[Expectation]:
    for index, text in enumerate(table.items("expect", str)):
        try:
            yield parse_expectation(text)
        except UsageError as error:
            table.fail(("expect", index), error.message, error.hint)


def _case(table: Table) -> ContractCase:
    text = _required(table, "text")
    input_ids = table.items("input_ids", int) if "input_ids" in table.values else None
    for index, number in enumerate(input_ids or ()):
        if number < 0:
            table.fail(("input_ids", index), f"is {number}; expected a token id, 0 or more")
    for key, value in table.values.items():
        # A list is a shape, whose name only the model can know; anything else is a key that does not exist.
        if key not in CASE_KEYS and not isinstance(value, (list, dict)):
            near = difflib.get_close_matches(key, CASE_KEYS, n=1, cutoff=0.5)
            problem = f"unknown key; expected {', '.join(CASE_KEYS)}, or a shape as NAME = [1, 8, 384]"
            table.fail((key,), problem, f"Did you mean {near[0]}?" if near else "")
    shapes = {key: value for key, value in table.values.items() if key not in CASE_KEYS}
    return ContractCase(
        text=text,
        pair=table.get("pair", str),
        input_ids=None if input_ids is None else tuple(input_ids),
        shapes=_shapes(Table(table.path, table.where, shapes)),
    )


def _shapes(table: Table) -> dict[str, ShapePattern]:
    """All entries of a table, as shapes."""
    shapes: dict[str, ShapePattern] = {}
    for where, value in _leaves(table.values):
        name = ".".join(where)
        if name in shapes:
            table.fail(where, f"{name} is written twice; expected each name once")
        shapes[name] = _pattern(table, value, *where)
    return shapes


def _leaves(values: dict[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Values with the keys that lead to them: `pooled.mean` without quotes is a table in a table to TOML."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from (((key, *inner), leaf) for inner, leaf in _leaves(value))
        else:
            yield (key,), value


def _pattern(table: Table, value: object, *where: str) -> ShapePattern:
    entries: list[object] = table.checked(value, list, *where)
    try:
        return pattern_from_list(entries)
    except UsageError as error:
        table.fail(where, error.message, error.hint)


def _required(table: Table, key: str) -> str:
    value = table.get(key, str)
    if value is None or (key == "model" and not value.strip()):
        table.fail((key,), f"is missing or empty; expected {key} = ...")
    return value
