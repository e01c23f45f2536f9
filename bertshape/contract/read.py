"""A contract file -> contracts; whatever is wrong in it is named with its line."""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING

from bertshape.contract.contract import CASE_KEYS, CHECKPOINT_KEYS, CheckpointContract, ContractCase
from bertshape.contract.document import Document, Table
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
    """The contract file of a folder: `bertshape.toml`, else a `pyproject.toml` with `[tool.bertshape]`."""
    if _is_there(folder / CONTRACT_NAME):
        return folder / CONTRACT_NAME
    project = folder / PROJECT_NAME
    if not _is_there(project):
        return None
    try:
        tool = Document(project).values.get("tool")
    except UsageError:
        # Whether it holds a contract cannot be known: reading it says what is broken.
        return project
    return project if isinstance(tool, dict) and "bertshape" in tool else None


def _is_there(path: Path) -> bool:
    try:
        return exists(path)
    except CheckpointError as error:
        raise UsageError(error.message, hint=error.hint, code="contract-invalid") from error


def read_contract(path: Path) -> tuple[CheckpointContract, ...]:
    """Read a contract file; in a file named pyproject.toml, the table `[tool.bertshape]`.

    Raises:
        UsageError: The file cannot be read or is no contract; the message has the line and what was expected.
    """
    document = Document(path)
    try:
        return _contracts(document)
    except RecursionError as error:
        raise document.too_deep() from error


def _contracts(document: Document) -> tuple[CheckpointContract, ...]:
    top = Table(document, (), document.values)
    if document.path.name == PROJECT_NAME:
        for key in ("tool", "bertshape"):
            inside = top.get(key, dict)
            if inside is None:
                document.fail((), "there is no [tool.bertshape]; expected [[tool.bertshape.checkpoint]]", _EMPTY)
            top = Table(document, (*top.where, key), inside)
    top.only(("checkpoint",))
    contracts = tuple(_checkpoint(table) for table in top.tables("checkpoint"))
    if not contracts:
        document.fail(top.where, "there is no checkpoint; expected [[checkpoint]]", _EMPTY)
    return contracts


def _checkpoint(table: Table) -> CheckpointContract:
    table.only(CHECKPOINT_KEYS)
    tokenizer = table.get("tokenizer", str)
    if tokenizer is not None and not _DIGEST.fullmatch(tokenizer):
        problem = f"tokenizer is {tokenizer!r}; expected sha256: and 64 hexadecimal digits"
        table.document.fail((*table.where, "tokenizer"), problem, "`bertshape snapshot` writes it.")
    tensors = Table(table.document, (*table.where, "tensors"), table.get("tensors", dict) or {})
    return CheckpointContract(
        model=_resolve(_required(table, "model"), table.document.path.parent),
        revision=table.get("revision", str),
        expect=tuple(_expectations(table)),
        tokenizer=tokenizer,
        tensors=_shapes(tensors),
        cases=tuple(map(_case, table.tables("case"))),
    )


def _expectations(table: Table) -> Iterator[Expectation]:
    for index, text in enumerate(table.items("expect", str)):
        try:
            yield parse_expectation(text)
        except UsageError as error:
            table.document.fail((*table.where, "expect", index), error.message, error.hint)


def _case(table: Table) -> ContractCase:
    text = _required(table, "text")
    input_ids = table.items("input_ids", int) if "input_ids" in table.values else None
    for index, number in enumerate(input_ids or ()):
        if number < 0:
            table.document.fail((*table.where, "input_ids", index), f"the token id {number}; expected 0 or more")
    for key, value in table.values.items():
        # A list is a shape, whose name only the model can know; anything else is a key that does not exist.
        if key not in CASE_KEYS and not isinstance(value, (list, dict)):
            near = difflib.get_close_matches(key, CASE_KEYS, n=1, cutoff=0.5)
            problem = f"unknown key {key!r}; expected {', '.join(CASE_KEYS)}, or a shape as NAME = [1, 8, 384]"
            table.document.fail((*table.where, key), problem, f"Did you mean {near[0]}?" if near else "")
    shapes = {key: value for key, value in table.values.items() if key not in CASE_KEYS}
    return ContractCase(
        text=text,
        pair=table.get("pair", str),
        input_ids=None if input_ids is None else tuple(input_ids),
        shapes=_shapes(Table(table.document, table.where, shapes)),
    )


def _shapes(table: Table) -> dict[str, ShapePattern]:
    """All entries of a table, as shapes."""
    shapes: dict[str, ShapePattern] = {}
    for where, value in _leaves(table.values):
        name = ".".join(where)
        if name in shapes:
            table.document.fail((*table.where, *where), f"{name} stands twice; expected each name once")
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
        table.document.fail((*table.where, *where), error.message, error.hint)


def _required(table: Table, key: str) -> str:
    value = table.get(key, str)
    if value is None or (key == "model" and not value.strip()):
        table.document.fail((*table.where, key), f"{key} is missing or empty; expected {key} = ...")
    return value


def _resolve(model: str, folder: Path) -> str:
    """The model as seen from the working directory; a Hub id and an embedded name stay as they are."""
    explicit = model in (".", "..") or model.startswith(("./", "../", ".\\", "..\\"))
    joined = os.path.join(folder, model)
    resolved = os.path.normpath(joined)
    # `link/..` is where the link leads, which the text of the path cannot tell.
    if os.path.isdir(joined) and os.path.realpath(resolved) != os.path.realpath(joined):
        resolved = os.path.realpath(joined)
    if os.path.isabs(model) or not (explicit or os.path.isdir(resolved)):
        return model
    # With a leading ./ it can never be taken for a Hub id, even if the folder goes away.
    return resolved if os.path.isabs(resolved) or resolved.startswith(os.pardir) else os.path.join(os.curdir, resolved)
