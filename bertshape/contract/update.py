"""A contract that a person has edited, brought up to date in place: comments and what was added stay."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit

from bertshape.contract.expectations import parse_expectation
from bertshape.contract.folded_names import fold_names, unfold_name
from bertshape.contract.shape_pattern import ShapePattern
from bertshape.contract.write import case_table, ids_array, pattern_array, valid_unicode, write_contract
from bertshape.errors import UsageError
from bertshape.shapes import TensorShape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

    from bertshape.contract.contract import CheckpointContract, ContractCase
    from bertshape.contract.expectations import Expectation

    Tables = MutableMapping[str, Any]


def update_contract(
    text: str,
    index: int,
    contract: CheckpointContract,
    *,
    within: Sequence[str] = (),
    known: Callable[[str], bool] = lambda _: False,
    group: Callable[[str], str] = lambda _: "",
) -> tuple[str, tuple[str, ...]]:
    """Bring one checkpoint of a contract file up to date.

    What a snapshot writes gets its new value where it is in the file; where it was taken out it stays out. A group of
    facts of which the file holds none is of a later version than the file, and is added as a whole. A shape that the
    checkpoint still has, such as `["_", "hidden_size"]`, stays as it is written.

    Args:
        text: The file, known to be a contract.
        index: Which of its checkpoints.
        contract: The checkpoint as it is now. A case that the file lacks is added to it.
        within: Names of the tables around the checkpoints, as `tool` and `bertshape` of pyproject.toml.
        known: Whether a name is that of a number or a word that a snapshot may write; what it lacks now is taken out.
        group: Which facts came with which others; empty for those that every file holds.

    Returns:
        The new text, and what has changed, a line each.

    Raises:
        UsageError: The file is written in a way that cannot be edited.
    """
    document = tomlkit.parse(text)
    tables: Any = document
    for name in within:
        tables = tables[name]
    changes = tuple(_update(tables["checkpoint"][index], contract, known, group))
    new = valid_unicode(tomlkit.dumps(document))
    try:
        intact = tomllib.loads(new) == document.unwrap()
    except tomllib.TOMLDecodeError:
        intact = False
    if not intact:
        raise _not_editable()
    return new, changes


def add_contract(text: str, contract: CheckpointContract, *, within: Sequence[str] = ()) -> str:
    """Add a checkpoint at the end of a contract file.

    Args:
        text: The file; that of another tool, such as pyproject.toml, may hold no checkpoint yet.
        contract: The checkpoint.
        within: As in `update_contract`.

    Raises:
        UsageError: The file is written in a way that nothing can be added to.
    """
    new = f"{text.rstrip()}\n\n{write_contract([contract], within)}"
    try:
        tomllib.loads(new)
    except tomllib.TOMLDecodeError as error:  # checkpoint = [{...}], which is closed
        raise _not_editable() from error
    return new


def _not_editable() -> UsageError:
    hint = "Write a new one with --output FILE, and move your own lines over."
    return UsageError("the contract cannot be edited as it is written", hint=hint, code="contract-unwritable")


def _update(
    entry: Tables, contract: CheckpointContract, known: Callable[[str], bool], group: Callable[[str], str]
) -> Iterator[str]:
    for name in ("revision", "tokenizer"):
        new = getattr(contract, name)
        if name in entry and new != entry[name] and not (name == "revision" and new is None):
            yield f"{name} {entry[name]} -> {new or 'none'}"
            _set(entry, name, new)
    expect = entry.get("expect", [])
    before = {str(line) for line in expect}
    yield from reversed(list(_expectations(expect, contract, known)))
    if "tokenizer" in entry and before:  # A snapshot wrote it, and may have known less.
        yield from _new_expectations(expect, before, contract, group)
    sizes = {item.name: item.value for item in contract.expect if isinstance(item.value, int)}
    if "tensors" in entry:
        yield from _tensors(entry["tensors"], contract, sizes)
    if "values" in entry or contract.values:
        yield from _values(entry, contract.values)
    yield from _cases(entry, contract.cases, sizes)


def kept_expectations(
    text: str, index: int, contract: CheckpointContract, *, within: Sequence[str] = ()
) -> tuple[str, ...]:
    """A person's own expectations, written with `==`, that do not hold any more: an update leaves them as they are.

    Args:
        text: The file, known to be a contract.
        index: Which of its checkpoints.
        contract: The checkpoint as it is now.
        within: As in `update_contract`.

    Returns:
        A line for each.
    """
    tables: Any = tomllib.loads(text)
    for name in within:
        tables = tables[name]
    now = {item.name: item for item in contract.expect}
    kept = []
    for own in tables["checkpoint"][index].get("expect", ()):
        item = parse_expectation(own)
        if _is_own(own, item) and item.name in now and item != now[item.name]:
            kept.append(f"{own} is yours and stays; it is {now[item.name].value} now")
    return tuple(kept)


def _is_own(written: str, item: Expectation) -> bool:
    """Whether a person wrote it to stay: a snapshot writes one `=`."""
    return written[len(written.partition("=")[0]) :].startswith("==") and item.operator == "="


def _expectations(written: Any, contract: CheckpointContract, known: Callable[[str], bool]) -> Iterator[str]:
    """A snapshot writes NAME=VALUE for numbers and words; every other form is a person's own."""
    now = {item.name: item for item in contract.expect}
    for index in reversed(range(len(written))):
        item = parse_expectation(str(written[index]))
        if item.operator != "=" or isinstance(item.value, ShapePattern) or item == now.get(item.name):
            continue
        if _is_own(str(written[index]), item):
            continue
        if item.name in now:
            yield f"{item} -> {now[item.name]}"
            written[index] = str(now[item.name])
        elif known(item.name):
            yield f"{item} -> nothing"
            del written[index]


def _new_expectations(
    written: Any, before: set[str], contract: CheckpointContract, group: Callable[[str], str]
) -> Iterator[str]:
    """Facts of groups that the file has nothing of, and parts of a fact that has changed, such as a new step."""
    names = {parse_expectation(str(line)).name for line in written}
    groups = {group(name) for name in names}
    changed = {parse_expectation(str(line)).name for line in written if str(line) not in before}
    for item in contract.expect:
        of_group = group(item.name)
        part = any(item.name.startswith(f"{name}.") for name in changed)
        if of_group and item.name not in names and (part or of_group not in groups):
            yield f"{item} added"
            written.append(str(item))


def _tensors(table: Tables, contract: CheckpointContract, sizes: dict[str, int]) -> Iterator[str]:
    now = {name: pattern for folded, pattern in contract.tensors.items() for name in unfold_name(folded)}
    for place, written in list(_leaves(table)):
        folded = ".".join(place)
        names = unfold_name(folded)
        if all(name in now and _holds(written, now[name], sizes) for name in names):
            now = {name: pattern for name, pattern in now.items() if name not in names}
            continue
        new = contract.tensors.get(folded)
        yield f"tensor {folded} {_text(written)} -> {new or 'nothing'}"
        _set(table, place, None if new is None else pattern_array(new))
        if new is not None:
            now = {name: pattern for name, pattern in now.items() if name not in names}
    left = fold_names({name: tuple(map(int, pattern.entries)) for name, pattern in now.items()})
    for name, shape in left.items():
        yield f"tensor {name} {list(shape)} added"
        table[name] = pattern_array(ShapePattern(shape))


def _values(entry: Tables, values: Mapping[str, str]) -> Iterator[str]:
    if "values" not in entry:
        entry["values"] = tomlkit.table()
    table = entry["values"]
    written = {".".join(place): str(leaf) for place, leaf in _leaves(table)}
    changed = [name for name in dict.fromkeys((*written, *values)) if written.get(name) != values.get(name)]
    for name in changed:
        yield f"values of {name} {written.get(name, 'nothing')[:19]} -> {values.get(name, 'nothing')[:19]}"
    if changed:
        table.clear()
        for name, digest in values.items():
            table[name] = digest


def _cases(entry: Tables, cases: Sequence[ContractCase], sizes: dict[str, int]) -> Iterator[str]:
    now = {(case.text, case.pair): case for case in cases}
    for table in entry.get("case", []):
        case = now.pop((str(table["text"]), table.get("pair")), None)
        if case is not None:
            changes = list(_case(table, case, sizes))
            if changes:
                yield f"text {case.text!r}: {', '.join(changes)}"
    for case in now.values():
        yield f"text {case.text!r} added"
        added = case_table(case)
        added.trivia.indent = "\n"
        entry.setdefault("case", tomlkit.aot()).append(added)


def _case(table: Tables, case: ContractCase, sizes: dict[str, int]) -> Iterator[str]:
    if "input_ids" in table and case.input_ids is not None and list(table["input_ids"]) != list(case.input_ids):
        yield f"other input_ids, {len(table['input_ids'])} -> {len(case.input_ids)} of them"
        table["input_ids"] = ids_array(case.input_ids)
    sizes = sizes | {"sequence_length": len(case.input_ids or ())}
    for place, written in list(_leaves(table)):
        new = case.shapes.get(".".join(place))
        if new is not None and not _holds(written, new, sizes):
            yield f"{'.'.join(place)} {_text(written)} -> {new}"
            _set(table, place, pattern_array(new))


def _leaves(table: Tables) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values with the keys that lead to them: `pooled.mean` without quotes is a table in a table to TOML."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from (((str(key), *inner), leaf) for inner, leaf in _leaves(value))
        else:
            yield (str(key),), value


def _set(table: Tables, place: str | tuple[str, ...], value: Any) -> None:
    """Set a value, or take it out where there is none any more."""
    *outer, last = (place,) if isinstance(place, str) else place
    for key in outer:
        table = table[key]
    if value is None:
        del table[last]
    else:
        table[last] = value


def _holds(written: Any, now: ShapePattern, sizes: dict[str, int]) -> bool:
    """Whether a shape, as it is written, fits the shape that there is now."""
    axes = tuple(map(str, range(len(now.entries))))
    shape = TensorShape(axes, tuple(map(int, now.entries)), "float32")
    return not ShapePattern(tuple(written.unwrap())).match(shape, dict(sizes))


def _text(written: Any) -> str:
    return str(ShapePattern(tuple(written.unwrap())))
