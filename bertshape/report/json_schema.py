"""The JSON Schema (draft 2020-12) of the documents, made from their types. Only `bertshape schema` imports this."""

from __future__ import annotations

import difflib
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from bertshape.errors import UsageError
from bertshape.report.documents import DOCUMENTS
from bertshape.report.envelope import SCHEMA_VERSION

Schema = dict[str, Any]

SCHEMA_URL = "https://github.com/bertshape/bertshape/blob/main/docs/json-reference.md?schema={version}&document={name}"
"""Name of each schema: it leads to the page of the documents, and stays the same from release to release."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ABOUT = (
    "New fields may come without a new schema_version: readers ignore what they do not know. "
    "A field is removed, changes its meaning or takes a value that an enum does not list only under a new one."
)


def build_schema(document: str | None = None) -> Schema:
    """The schema of one document, or of all. Every object in it has a name under `$defs`.

    Args:
        document: Name of the document; None for a schema that takes any of them.

    Raises:
        UsageError: There is no such document.
    """
    if document is not None and document not in DOCUMENTS:
        near = difflib.get_close_matches(document, DOCUMENTS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Documents: {', '.join(DOCUMENTS)}."
        raise UsageError(f"there is no document {document!r}", hint=hint, code="unknown-document")
    types = list(DOCUMENTS.values()) if document is None else [DOCUMENTS[document]]
    references, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    described = _typed_dicts(types)
    head = {"$schema": _DIALECT, "$id": SCHEMA_URL.format(version=SCHEMA_VERSION, name=document or "any")}
    definitions = {name: _describe(definitions[name], described[name]) for name in described}
    if document is None:
        about = {"title": "A JSON document of bertshape", "description": f"Any document. {_ABOUT}"}
        return {**head, **about, "anyOf": list(references), "$defs": definitions}
    about = {"title": f"bertshape {document}", "description": f"{types[0].__doc__} {_ABOUT}"}
    return {**head, **about, **references[0], "$defs": definitions}


def _describe(definition: Schema, kind: type) -> Schema:
    """A definition with its fields in the order of the type, each described as the type describes it."""
    fields = {}
    hints = get_type_hints(kind, include_extras=True)
    for name, hint in hints.items():
        inner = get_args(hint)[0] if get_origin(hint) is NotRequired else hint
        text = next(mark for mark in get_args(inner)[1:] if isinstance(mark, str))
        fields[name] = {"description": text, **definition["properties"][name]}
    required = [name for name in hints if name in definition["required"]]
    return {**definition, "properties": fields, "required": required}


def _typed_dicts(hints: list[Any]) -> dict[str, type]:
    """All typed dicts that these types consist of, by name, in the order in which they are met."""
    found: dict[str, type] = {}
    waiting = list(hints)
    while waiting:
        hint = waiting.pop(0)
        if is_typeddict(hint):
            if hint.__name__ not in found:
                found[hint.__name__] = hint
                waiting += get_type_hints(hint).values()
        else:
            waiting += get_args(hint)
    return found
