"""The reference of the JSON documents, made from the schema: `python -m tests.tools.json_reference` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertshape.report.schema import DOCUMENTS, build_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).parent.parent.parent / "docs" / "json-reference.md"
_HEAD = """# JSON reference

Every field of every document, made from `bertshape schema`, which prints the same as a JSON Schema (draft 2020-12):

```sh
bertshape schema > bertshape.report.schema.json
```

[JSON](json.md) shows a document and says what a `schema_version` promises. `a.b` is a field in a field, `a[]` each
element of a list, `a.*` what stands under each name in an object whose names are data.
"""
_NAMES = {"inspect": "`inspect --json`", "record": "`inspect --format jsonl`, a line", "error": "An error"}

Schema = dict[str, Any]


def _alternatives(schema: Schema) -> list[Schema]:
    return schema.get("oneOf") or schema.get("anyOf") or [schema]


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name})"


def _code(value: object) -> str:
    return {None: "null", True: "`true`", False: "`false`"}.get(value, f"`{value}`")  # type: ignore[call-overload, no-any-return]


def _describe_type(schema: Schema) -> str:
    """What may stand there, in a few words."""
    if len(_alternatives(schema)) > 1:
        return " or ".join(dict.fromkeys(map(_describe_type, _alternatives(schema))))
    if "$ref" in schema:
        return _link(schema["$ref"])
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return ", ".join(_code(value) for value in schema["enum"])
    kinds = schema.get("type", "anything")
    if isinstance(kinds, list):
        return " or ".join(_describe_type(schema | {"type": kind}) for kind in kinds)
    if kinds == "array":
        inner = _describe_type(schema["items"]) if "items" in schema else ""
        return f"list of ({inner})" if " or " in inner else f"list of {inner}" if inner else "empty list"
    if kinds == "object" and isinstance(schema.get("additionalProperties"), dict):
        inner = _describe_type(schema["additionalProperties"])
        return f"object of ({inner})" if " or " in inner else f"object of {inner}"
    return str(kinds)


def _fields(schema: Schema, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field, those of fields without a section of their own included."""
    variants = [variant for variant in _alternatives(schema) if "properties" in variant]
    names = dict.fromkeys(name for variant in variants for name in variant["properties"])
    for name in names:
        parts = [variant["properties"][name] for variant in variants if name in variant["properties"]]
        required = len(parts) == len(variants) and all(name in variant.get("required", ()) for variant in variants)
        kinds = " or ".join(dict.fromkeys(map(_describe_type, parts)))
        meanings = " ".join(dict.fromkeys(part.get("description", "") for part in parts))
        yield f"{prefix}{name}", kinds if required else f"{kinds}; optional", meanings
        for part in parts:
            yield from _below(part, f"{prefix}{name}")
    for variant in _alternatives(schema):
        if not prefix and "properties" not in variant:
            yield from _below(variant, "")


def _below(schema: Schema, name: str) -> Iterator[tuple[str, str, str]]:
    for variant in _alternatives(schema):
        if "properties" in variant:
            yield from _fields(variant, f"{name}.")
        if isinstance(variant.get("items"), dict):
            yield from _below(variant["items"], f"{name}[]")
        if isinstance(variant.get("additionalProperties"), dict):
            yield from _below(variant["additionalProperties"], f"{name}.*")


def _section(title: str, schema: Schema) -> str:
    lines = [f"### {title}", "", schema.get("description", ""), ""]
    rows = list(dict.fromkeys(_fields(schema)))
    if rows:
        lines += ["| field | type | meaning |", "|---|---|---|"]
        # A bar would end the cell.
        lines += [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{row[0]}`", *row[1:])) + " |" for row in rows
        ]
    return "\n".join(lines).rstrip() + "\n"


def write_reference() -> str:
    """The page."""
    parts: Mapping[str, Schema] = build_schema()["$defs"]  # type: ignore[assignment]
    documents, others = ["## Documents\n"], ["## Parts\n"]
    for name, schema in parts.items():
        title = _NAMES.get(name, f"`{name} --json`") if name in DOCUMENTS else f"`{name}`"
        # What requires no field is a rule, which ties the fields of other parts together.
        if all("required" in variant for variant in _alternatives(schema)):
            (documents if name in DOCUMENTS else others).append(_section(title, schema))
    return "\n".join([_HEAD, *documents, *others])


def main() -> None:
    """Write the page."""
    PAGE.write_text(write_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
