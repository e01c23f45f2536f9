"""Documents checked against the schema that `bertshape schema` prints, and what no schema can say."""

from __future__ import annotations

import copy
import functools
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from bertshape.report.json_schema import build_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

# A field that one document alone has, by the document. The error document may come in place of any other.
MARKS = {
    "error": "error",
    "checkpoint": "inspect",
    "index": "record",
    "checkpoints": "check",
    "before": "diff",
    "saved": "embed",
    "measured": "memory",
    "lacks": "which",
    "profile": "profile",
    "families": "families",
    "poolings": "poolings",
    "facts": "doctor",
}
# Keys that are data and no fields: the names under them may be any. `bytes` is such a place in a profile alone.
DATA = {
    "inspect": {"tensors", "outputs", "pooled", "tasks", "counts"},
    "record": {"tensors", "outputs", "pooled", "tasks", "counts"},
    "check": {"facts"},
    "diff": {"differences", "equal", "tensors"},
    "embed": {"saved"},
    "profile": {"bytes"},
    "families": {"families"},
    "poolings": {"poolings"},
    "doctor": {"numbers"},
}
# Fields that need not be there, because options ask for them or leave them out.
_OPTIONAL = {"tasks", "layers", "words", "tokens", "line", "id"}
Place = tuple[str | int, ...]
"""Keys and positions that lead to a value of a document."""
_DOCUMENT = re.compile(r'\{\s*"schema_version"')
_LINES = '{"schema_version"'


def strict(schema: Any) -> Any:
    """The same schema, closed: fields that it does not name are refused, where the printed one lets them come."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


@functools.cache
def validator(document: str | None, *, closed: bool = True) -> Draft202012Validator:
    """A validator for a document, or for any."""
    schema = build_schema(document)
    return Draft202012Validator(strict(schema) if closed else schema)


def name_of(document: dict[str, Any]) -> str | None:
    """Which document it is."""
    return next((name for mark, name in MARKS.items() if mark in document), None)


def problem(document: Any, name: str | None = None) -> str | None:
    """The first thing that the closed schema refuses, or else a shape with other axes than sizes; or None.

    Args:
        document: The document.
        name: Which it is to be; found out by its fields where it is not given.
    """
    name = name or name_of(document)
    if name is None:
        return f"no document of bertshape has the fields {', '.join(document)}"
    found = validator(name)
    if found.is_valid(document):
        shapes = [path for path in paths(document) if path[-1] == "shape"]
        uneven = next((path for path in shapes if not _even(at(document, path[:-1]))), ())
        return f"{name} {uneven}: axes and shape differ in length" if uneven else None
    error = best_match(found.iter_errors(document))
    return f"{name} {error.json_path}: {error.message[:500]}"


def documents_in(output: str) -> Iterator[dict[str, Any]]:
    """The JSON documents that an output consists of; none where it does not begin with one.

    Raises:
        ValueError: It begins with one, and goes on with something else.
    """
    if _DOCUMENT.match(output):
        for text in output.splitlines() if output.startswith(_LINES) else [output]:
            yield json.loads(text, parse_constant=_refuse)


def check_output(output: str, code: int) -> None:
    """Check what a command printed against the schema and its exit code; an output that is no JSON is left alone.

    Raises:
        AssertionError: A document does not follow the schema, or `ok` is not what the exit code says.
    """
    documents = list(documents_in(output))
    for number, document in enumerate(documents, start=1):
        found = problem(document)
        assert found is None, f"document {number} of this output does not follow bertshape schema: {found}"
    if documents:
        assert all(document["ok"] for document in documents) == (code == 0), f"ok says another thing than code {code}"


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    """All schemas inside a schema, itself included."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    if not isinstance(schema, dict):
        return
    yield schema
    for key, inner in schema.items():
        if key in ("properties", "$defs"):
            for item in inner.values():
                yield from nodes(item)
        elif key in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            yield from nodes(inner)


def paths(node: object, path: Place = ()) -> Iterator[Place]:
    """The way to every value inside a document."""
    entries: Any = ()
    if isinstance(node, dict):
        entries = node.items()
    elif isinstance(node, list):
        entries = enumerate(node)
    for key, value in entries:
        yield (*path, key)
        yield from paths(value, (*path, key))


def at(document: Any, path: Place) -> Any:
    for key in path:
        document = document[key]
    return document


def with_value(document: dict[str, Any], path: Place, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    at(changed, path[:-1])[path[-1]] = value
    return changed


def is_data(name: str, path: Place) -> bool:
    """Whether what a way leads to is an object whose keys are data."""
    return path[-1:] != () and path[-1] in DATA.get(name, set())


def is_optional(name: str, path: Place) -> bool:
    """Whether the field that a way leads to may be left out; the words of a text always have their tokens."""
    return name in ("inspect", "record") and path[-1] in _OPTIONAL and path[-3:-2] != ("words",)


def _even(entry: dict[str, Any]) -> bool:
    axes, shape = entry["axes"], entry["shape"]
    return axes is shape is None or len(axes) == len(shape)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
