"""Small words to write a JSON Schema in: each gives a part of it, none without a description."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Schema = dict[str, object]


def text(description: str, *, least: int = 0) -> Schema:
    """A string, of so many characters at least."""
    return {"description": description, "type": "string"} | ({"minLength": least} if least else {})


def whole(description: str, least: int | None = 0) -> Schema:
    """A whole number; any one where `least` is None."""
    return {"description": description, "type": "integer"} | ({} if least is None else {"minimum": least})


def number(description: str, most: int | None = None) -> Schema:
    """A number from 0 on, up to another one where one is given."""
    return {"description": description, "type": "number", "minimum": 0} | ({} if most is None else {"maximum": most})


def yes_no(description: str) -> Schema:
    """True or false."""
    return {"description": description, "type": "boolean"}


def constant(description: str, value: object) -> Schema:
    """One value, always."""
    return {"description": description, "const": value}


def choice(description: str, *values: str) -> Schema:
    """One of these strings."""
    return {"description": description, "enum": list(values)}


def part(name: str, description: str) -> Schema:
    """What stands under a name in `$defs`."""
    return {"$ref": f"#/$defs/{name}", "description": description}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "enum" in schema:
        values = schema["enum"]
        assert isinstance(values, list)
        return schema | {"enum": [*values, None]}
    if "type" in schema and "anyOf" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    described = {"description": schema["description"]}
    return described | {"anyOf": [{key: schema[key] for key in schema if key != "description"}, {"type": "null"}]}


def array(description: str, items: Schema, *, least: int = 0, most: int | None = None) -> Schema:
    """A list of equal elements."""
    bounds = ({"minItems": least} if least else {}) | ({} if most is None else {"maxItems": most})
    return {"description": description, "type": "array", "items": items, **bounds}


def several(description: str, *schemas: Schema) -> Schema:
    """Whatever one of these takes, and no other of them does."""
    return {"description": description, "oneOf": list(schemas)}


def mapping(
    description: str, values: Schema, *, keys: str | None = None, always: Mapping[str, Schema] | None = None
) -> Schema:
    """An object whose keys are data: names of tensors, of strategies, of files.

    Args:
        description: What it holds.
        values: What stands under each key.
        keys: Pattern of the keys.
        always: Keys that are there in any case, with what stands under them.
    """
    schema: Schema = {"description": description, "type": "object", "additionalProperties": values}
    if keys is not None:
        schema["propertyNames"] = {"pattern": keys}
    if always:
        schema |= {"properties": dict(always), "required": list(always)}
    return schema


def record(
    description: str,
    fields: Mapping[str, Schema],
    *,
    optional: Mapping[str, Schema] | None = None,
    rules: Sequence[Schema] = (),
) -> Schema:
    """An object whose keys are fields of the document. It does not refuse others: new fields may come.

    Args:
        description: What it is.
        fields: Fields that are always there.
        optional: Fields that need not be there.
        rules: What holds of several fields at once.
    """
    schema: Schema = {
        "description": description,
        "type": "object",
        "properties": {**fields, **(optional or {})},
        "required": list(fields),
    }
    if rules:
        schema["allOf"] = list(rules)
    return schema
