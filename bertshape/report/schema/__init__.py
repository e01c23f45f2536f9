"""The JSON Schema (draft 2020-12) of every document that bertshape prints, as data."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.report.schema import documents, profiles, tensors, texts
from bertshape.report.schema.building import Schema
from bertshape.report.to_dict import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DOCUMENTS", "Schema", "build_schema"]

DOCUMENTS = tuple(documents.DOCUMENTS)
"""Names of the documents: those of the commands, `record` for a line of jsonl, and `error`."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ABOUT = (
    "New fields may come without a new schema_version: readers ignore what they do not know. "
    "A field is removed, changes its meaning or takes a value that an enum does not list only under a new one."
)
_PARTS: dict[str, Schema] = documents.DOCUMENTS | texts.PARTS | tensors.PARTS | documents.PARTS | profiles.PARTS


def build_schema(document: str | None = None) -> Schema:
    """The schema of one document, or of all.

    Args:
        document: Name of the document; None for a schema that takes any of them.

    Raises:
        UsageError: There is no such document.
    """
    if document is None:
        any_of: list[Schema] = [{"$ref": f"#/$defs/{name}"} for name in DOCUMENTS]
        about = {"title": "A JSON document of bertshape", "description": f"Any document. {_ABOUT}"}
        return {"$schema": _DIALECT, "$id": _identifier("any"), **about, "anyOf": any_of, "$defs": dict(_PARTS)}
    if document not in DOCUMENTS:
        near = difflib.get_close_matches(document, DOCUMENTS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Documents: {', '.join(DOCUMENTS)}."
        raise UsageError(f"there is no document {document!r}", hint=hint, code="unknown-document")
    whole = documents.DOCUMENTS[document]
    needed = _needed(whole)
    return {
        "$schema": _DIALECT,
        "$id": _identifier(document),
        "title": f"bertshape {document}",
        **whole,
        "description": f"{whole['description']} {_ABOUT}",
        "$defs": {name: part for name, part in _PARTS.items() if name in needed},
    }


def _identifier(name: str) -> str:
    return f"urn:bertshape:schema:{SCHEMA_VERSION}:{name}"


def _needed(schema: Schema) -> set[str]:
    """Names of all parts that a schema speaks of, those that only other parts speak of included."""
    found: set[str] = set()
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(_PARTS[name])
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix("#/$defs/")
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)
