"""The reference of the JSON documents, made from the schema: `python -m tests.tools.json_reference` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertshape.report.documents import DOCUMENTS
from bertshape.report.json_schema import build_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).parent.parent.parent / "docs" / "json-reference.md"
_HEAD = """# JSON reference

Every field of every document, made from `bertshape schema`, which prints the same as a JSON Schema (draft 2020-12):

```sh
bertshape schema > bertshape.schema.json
```

[JSON](json.md) shows a document and says what a `schema_version` promises.
"""
_NAMES = {"inspect": "`inspect --json`", "record": "`inspect --format jsonl`, a line", "error": "An error"}

Schema = dict[str, Any]


def _alternatives(schema: Schema) -> list[Schema]:
    return schema.get("anyOf") or [schema]


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def _code(value: object) -> str:
    return {None: "null", True: "`true`", False: "`false`"}.get(value, f"`{value}`")  # type: ignore[call-overload, no-any-return]


def _describe_type(schema: Schema) -> str:
    """What may stand there, in a few words."""
    if len(_alternatives(schema)) > 1:
        return " or ".join(dict.fromkeys(map(_describe_type, _alternatives(schema))))
    if "$ref" in schema:
        return _link(schema["$ref"])
    if "enum" in schema:
        return ", ".join(_code(value) for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_bracketed(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_bracketed(schema['additionalProperties'])}"
    return str(kind)


def _bracketed(schema: Schema) -> str:
    inner = _describe_type(schema)
    return f"({inner})" if " or " in inner else inner


def _fields(schema: Schema) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field."""
    for name, field in schema["properties"].items():
        kind = _describe_type(field)
        yield f"`{name}`", kind if name in schema["required"] else f"{kind}; optional", field["description"]


def _section(title: str, schema: Schema) -> str:
    # A bar would end the cell.
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in _fields(schema)]
    table = ["| field | type | meaning |", "|---|---|---|", *rows]
    return "\n".join([f"### {title}", "", schema["description"], "", *table]) + "\n"


def write_reference() -> str:
    """The page."""
    parts: Mapping[str, Schema] = build_schema()["$defs"]
    names = {kind.__name__: name for name, kind in DOCUMENTS.items()}
    documents, others = ["## Documents\n"], ["## Parts\n"]
    for part, schema in parts.items():
        if part in names:
            documents.append(_section(_NAMES.get(names[part], f"`{names[part]} --json`"), schema))
        else:
            others.append(_section(f"`{part}`", schema))
    return "\n".join([_HEAD, *documents, *others])


def main() -> None:
    """Write the page."""
    PAGE.write_text(write_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
