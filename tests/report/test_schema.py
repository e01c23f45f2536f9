"""The schema is valid, says something of every field, and takes what bertshape prints and nothing else."""

from __future__ import annotations

import copy
import errno
import importlib
import inspect
import json
from typing import TYPE_CHECKING, Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bertshape import inspect_texts
from bertshape.cli import main as program
from bertshape.cli.commands import COMMANDS
from bertshape.report.documents import DOCUMENTS
from bertshape.report.envelope import error_document
from bertshape.report.json_schema import build_schema
from tests.support.checkpoints import FAMILIES, edited_copy
from tests.support.imports import imported_by
from tests.support.schema_check import (
    MARKS,
    at,
    check_output,
    documents_in,
    is_data,
    is_optional,
    name_of,
    nodes,
    paths,
    problem,
    strict,
    validator,
    with_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run
    from tests.support.schema_check import Place

    Command = Callable[..., Run]
    Documents = dict[str, list[dict[str, Any]]]

TINY = ("--model", "embedded:bert-tiny-uncased")
PREDICT = (*TINY, "--weights", "none")
ALL = ("--task", "all", "--layers", "--words", "--attentions")


@pytest.fixture(scope="module")
def printed(bertshape: Command, minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Documents of every kind, as commands print them."""
    folder = tmp_path_factory.mktemp("printed")
    lines, broken = folder / "texts.jsonl", edited_copy(minilm, folder / "eight", num_hidden_layers=8)
    lines.write_text('{"text": "one", "id": "a"}\n{"text": "two words", "id": 2}\n{"text": ""}\n')
    npy = folder / "given.npy"
    numpy.save(npy, numpy.random.default_rng(0).normal(size=(3, 384)))
    commands = {
        "inspect": ("inspect", "a text", "b", "--model", str(minilm), "--json", *ALL),
        "record": ("inspect", "--input", str(lines), *PREDICT, *ALL, "--format", "jsonl"),
        "check": ("check", str(broken), TINY[1], "./nosuch", "--values", "--json"),
        "diff": ("diff", str(minilm), TINY[1], "--json"),
        "embed": ("embed", str(lines), *TINY, "--pooling", "mean", "-o", str(folder / "vectors.npz"), "--json"),
        "memory": ("memory", str(minilm), "--fit", "8GB", "--json"),
        "which": ("which", str(npy), "--texts", str(lines), "--model", str(minilm), "--json"),
        "profile": ("profile", str(lines), *TINY, "--max-length", "3", "--batch-size", "2", "--json"),
        "families": ("families", "--json"),
        "poolings": ("poolings", "--json"),
        "doctor": ("doctor", "--no-torch", "--offline", "--json"),
        "error": ("inspect", "a", "--model", "./nosuch", "--json"),
    }
    assert list(commands) == list(DOCUMENTS)
    found = {name: list(documents_in(bertshape(*command).stdout)) for name, command in commands.items()}
    # What the tests below change must be there.
    assert found["inspect"][0]["embedding"]
    assert found["inspect"][0]["findings"]
    assert not found["record"][0]["pooled"]["last4_sum"]["available"]
    assert {checked["error"] is None for checked in found["check"][0]["checkpoints"]} == {True, False}
    return found


@pytest.mark.parametrize("name", [None, *DOCUMENTS])
def test_schema_is_valid(name: str | None) -> None:
    """Valid by its own schema, which passes over keywords that it does not know: those are listed."""
    schema = build_schema(name)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(strict(schema))
    known = {"$schema", "$id", "$ref", "$defs", "title", "description", "type", "properties", "required", "items"}
    known |= {"additionalProperties", "propertyNames", "enum", "minimum", "maximum"}
    known |= {"exclusiveMinimum", "exclusiveMaximum", "minLength", "pattern", "minItems", "maxItems", "anyOf"}
    assert {key for node in nodes(schema) for key in node} <= known


@pytest.mark.parametrize("name", [None, *DOCUMENTS])
def test_references_lead_somewhere_and_every_part_is_used(name: str | None) -> None:
    schema: dict[str, Any] = build_schema(name)
    named = {node["$ref"] for node in nodes(schema) if "$ref" in node}
    assert named == {f"#/$defs/{part}" for part in schema["$defs"]}


def test_every_field_is_described() -> None:
    for node in nodes(build_schema()):
        for name, field in node.get("properties", {}).items():
            assert field.get("description", "").endswith("."), name


def test_every_object_has_a_name() -> None:
    schema = build_schema()
    named = [id(part) for part in schema["$defs"].values()]
    assert all(id(node) in named for node in nodes(schema) if "properties" in node)


def test_every_command_that_prints_json_has_a_document() -> None:
    sources = {name: inspect.getsource(importlib.import_module(f"bertshape.cli.{name}")) for name in COMMANDS}
    printing = {name for name, source in sources.items() if '"--json"' in source or "JsonFlag" in source}
    assert printing | {"record", "error"} == set(DOCUMENTS)
    assert set(MARKS.values()) == set(DOCUMENTS)


def test_command_prints_the_schema(bertshape: Command) -> None:
    assert json.loads(bertshape("schema").stdout) == build_schema()
    for name in ("inspect", "error"):
        assert json.loads(bertshape("schema", name).stdout) == build_schema(name)
    done = bertshape("schema", "inspct")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean inspect?" in done.stderr


def test_command_alone_imports_what_makes_the_schema() -> None:
    """Other commands: tests/project/test_imported_modules.py."""
    assert imported_by("schema") == {"msgspec"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_one_kind(name: str, printed: Documents) -> None:
    """The closed schema of its own kind takes it, no other does, and the printed schema of all documents does."""
    for document in printed[name]:
        assert [other for other in DOCUMENTS if validator(other).is_valid(document)] == [name]
        assert validator(None, closed=False).is_valid(document)
        assert validator(name, closed=False).is_valid(document)


OPTIONS = [
    ("--pooling", "mean", "--pooling", "mean@-2:concat", "--pooling", "cls+max@-2", "--pooling", "words"),
    ("--padding", "max_length", "--max-length", "9"),
    ("--max-length", "3"),
    ("--pair", "one", "--pair", "two", *ALL),
    ("--dtype", "bfloat16", "--hidden-states"),
    ("--truncation", "--words"),
    ("--quiet",),
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_predictions_under_many_options(options: tuple[str, ...], format_: str, bertshape: Command) -> None:
    output = bertshape("inspect", "one text", "東京 \x1b", *PREDICT, *options, "--format", format_).stdout
    found = [(name_of(document), problem(document)) for document in documents_in(output)]
    expected = {"json": [("inspect", None)], "jsonl": [("record", None)] * 2}[format_]
    assert found == ([] if "--quiet" in options else expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_predictions_of_every_family(family: str, tiny: Callable[[str], Path]) -> None:
    report = inspect_texts(
        ["one text", ""], model=str(tiny(family)), weights="none", tasks=["all"], layers=True, words=True
    )
    assert problem(json.loads(json.dumps(report.to_dict())), "inspect") is None


def test_run_with_everything(bertshape: Command, tmp_path: Path) -> None:
    """Embedded: random weights, no sentence embedding."""
    save = ("--save", str(tmp_path / "tensors.npz"))
    (document,) = documents_in(bertshape("inspect", "a text", *TINY, *ALL, *save, "--json").stdout)
    assert problem(document) is None
    assert document["outputs"]["last_hidden_state"]["evidence"] == "observed"
    assert document["layers"]["evidence"] == "observed"


def test_records_of_a_run(bertshape: Command) -> None:
    (document,) = documents_in(bertshape("inspect", "a text", *TINY, "--words", "--format", "jsonl").stdout)
    assert (name_of(document), problem(document)) == ("record", None)
    assert document["outputs"]["last_hidden_state"]["evidence"] == "observed"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("inspect", "--json"), 2),
        (("inspect", "a", "--nosuch", "--json"), 2),
        (("check", "--expect", "nosuch", "--format", "json"), 2),
        (("profile", "./nosuch", "--json"), 2),
        (("inspect", "--input", "./nosuch", "--format", "jsonl"), 2),
        (("diff", "./nosuch", TINY[1], "--json"), 3),
        (("inspect", "a", "--model", "org/name", "--offline", "--json"), 4),
        (("inspect", "a", *TINY, "--device", "cuda:99", "--json"), 5),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_errors(arguments: tuple[str, ...], code: int, bertshape: Command) -> None:
    done = bertshape(*arguments)
    assert done.returncode == code
    (document,) = documents_in(done.stdout)
    assert (name_of(document), problem(document)) == ("error", None)


@pytest.mark.parametrize(
    ("failure", "code"),
    [(RuntimeError(""), 70), (OSError(errno.ENOSPC, "full"), 74), (KeyboardInterrupt(), 130)],
    ids=lambda value: type(value).__name__,
)
def test_errors_that_no_option_brings_about(
    failure: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise failure

    monkeypatch.setattr(program, "_dispatch", fail)
    assert program.run(["inspect", "a", "--json"]) == code
    (document,) = documents_in(capsys.readouterr().out)
    assert (name_of(document), problem(document)) == ("error", None)


def test_fixture_refuses_a_field_that_the_schema_lacks(bertshape: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any test that prints such a document fails by this."""
    changed = "bertshape.cli.main.error_document"
    monkeypatch.setattr(changed, lambda error: {**error_document(error), "nosuch": 1})
    with pytest.raises(AssertionError, match="nosuch"):
        bertshape("inspect", "--json")


def test_outputs_that_do_not_follow_the_schema_are_refused(printed: Documents) -> None:
    error, (first, *_) = printed["error"][0], printed["record"]
    check_output("no JSON at all", 0)
    check_output(json.dumps(first) + "\n" + json.dumps(error) + "\n", 2)
    with pytest.raises(AssertionError, match=r"document 2 .*error \$: Additional"):
        check_output(json.dumps(first) + "\n" + json.dumps(error | {"nosuch": 1}) + "\n", 2)
    with pytest.raises(AssertionError, match="no document of bertshape"):
        check_output('{\n  "schema_version": "1", "ok": true}', 0)
    with pytest.raises(ValueError, match="Extra data"):
        check_output(json.dumps(error, indent=2) + "\nand more", 2)
    with pytest.raises(ValueError, match="NaN"):
        check_output('{"schema_version": NaN}', 0)
    with pytest.raises(AssertionError, match="ok says another thing"):
        check_output(json.dumps(error), 0)


def test_a_size_for_each_axis(printed: Documents) -> None:
    found = 0
    for name in ("inspect", "record", "embed"):
        for document in printed[name]:
            for path in paths(document):
                if path[-1] == "shape" and at(document, path) is not None:
                    longer = with_value(document, path, [*at(document, path), 1])
                    assert problem(longer, name) is not None, path
                    found += 1
    assert found > 100


VALUES = [
    *(
        ("inspect", field)
        for field in ("kind", "evidence", "severity", "weights", "source", "head", "pooler", "padding_side")
    ),
    ("record", "padding"),
    ("check", "severity"),
    ("embed", "weights"),
    ("profile", "padding"),
    ("families", "length"),
    ("doctor", "state"),
]


@pytest.mark.parametrize(("name", "field"), VALUES)
def test_a_value_that_is_not_listed_is_refused(name: str, field: str, printed: Documents) -> None:
    document, found = printed[name][0], 0
    for path in paths(document):
        if path[-1] == field and isinstance(at(document, path), str):
            assert not validator(name, closed=False).is_valid(with_value(document, path, "nosuch")), path
            found += 1
    assert found


def draw_place(data: st.DataObject, printed: Documents) -> tuple[str, dict[str, Any], Place]:
    """Any value in any document, the small documents as often as the large ones."""
    name = data.draw(st.sampled_from(list(DOCUMENTS)))
    document = data.draw(st.sampled_from(printed[name]))
    return name, document, data.draw(st.sampled_from(list(paths(document))))


@given(data=st.data())
def test_a_field_that_lacks_is_refused(printed: Documents, data: st.DataObject) -> None:
    """Every field that documents have is required, but for those listed here."""
    name, document, path = draw_place(data, printed)
    while not isinstance(path[-1], str) or is_data(name, path[:-1]):
        path = path[:-1]
        if not path:
            return
    changed = copy.deepcopy(document)
    del at(changed, path[:-1])[path[-1]]
    assert validator(name, closed=False).is_valid(changed) == is_optional(name, path), path


@given(data=st.data(), wrap=st.sampled_from([lambda value: [value], lambda value: {"it": value}]))
def test_a_value_of_another_type_is_refused(
    printed: Documents, data: st.DataObject, wrap: Callable[[object], object]
) -> None:
    name, document, path = draw_place(data, printed)
    assert not validator(name).is_valid(with_value(document, path, wrap(at(document, path)))), path


@given(data=st.data())
def test_a_number_below_zero_is_refused(printed: Documents, data: st.DataObject) -> None:
    name, document, path = draw_place(data, printed)
    value = at(document, path)
    # An id may be any number, a setting in config.json too, and a cosine is below zero where vectors point apart.
    free = {"id", "cosine", "facts", "differences", "equal"} & set(path)
    if isinstance(value, int | float) and not isinstance(value, bool) and not free:
        assert not validator(name, closed=False).is_valid(with_value(document, path, -1 - value)), path


@given(data=st.data())
def test_a_field_that_is_not_described_is_refused_by_tests_alone(printed: Documents, data: st.DataObject) -> None:
    """Readers must let new fields come, so the printed schema does."""
    name, document, path = draw_place(data, printed)
    while path and (not isinstance(at(document, path), dict) or is_data(name, path)):
        path = path[:-1]
    changed = copy.deepcopy(document)
    at(changed, path)["nosuch"] = 1
    assert not validator(name).is_valid(changed), path
    assert validator(name, closed=False).is_valid(changed), path
