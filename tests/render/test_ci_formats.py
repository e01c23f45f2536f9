"""What CI systems are given: the schemas that they publish, and the lines that are to blame."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import jsonschema
import pytest
import xmlschema

from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from tests.conftest import Command

SCHEMAS = Path(__file__).parents[1] / "schemas"
CONTRACT = """# ours
[[checkpoint]]
model = "./models/odd"
tokenizer = "sha256:{digest}"
expect = [
    "hidden_size=384",  # holds
    "num_heads == 13",
    'pooled.mean = [_, 385]',
]

[checkpoint.tensors]
"embeddings.word_embeddings.weight" = [30522, 1]

[[checkpoint.case]]
text = "Hi \\"there\\""
input_ids = [101, 1, 102]

[[checkpoint]]
model = "./nosuch"

[[checkpoint]]
model = "embedded:bert-tiny-uncased"
expect = ["hidden_size=1"]
"""
PLACES = {
    "layers-mismatch": ("models/odd/config.json", '"num_hidden_layers"'),
    "num_attention_heads=13": ("bertshape.toml", "num_heads == 13"),
    "pooled.mean=[_, 385]": ("bertshape.toml", "pooled.mean"),
    "tokenizer": ("bertshape.toml", "tokenizer ="),
    "tensor:embeddings": ("bertshape.toml", "word_embeddings"),
    "input_ids for": ("bertshape.toml", "text ="),
    "folder-not-found": ("bertshape.toml", "./nosuch"),
    "hidden_size=1": ("bertshape.toml", "hidden_size=1"),
}


def _title(line: str) -> str:
    return unquote(re.findall(r"title=(.*?)::", line)[0])


@pytest.fixture(scope="module")
def place(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose contract does not hold, with a config of many lines."""
    folder = tmp_path_factory.mktemp("repository")
    edited_copy(minilm, folder / "models" / "odd", num_hidden_layers=8)
    config = folder / "models" / "odd" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()), indent=2))
    (folder / "bertshape.toml").write_text(CONTRACT.format(digest="0" * 64))
    return folder


def _printed(run_cli: Command, place: Path, chosen: str, *options: str, **variables: str) -> str:
    done = run_cli("check", "--format", chosen, *options, cwd=place, **variables)
    assert done.returncode in (1, 3), done.stderr
    return done.stdout


def test_annotations_stand_at_the_lines_to_blame(run_cli: Command, place: Path) -> None:
    lines = _printed(run_cli, place, "github").splitlines()
    for name, (file, text) in PLACES.items():
        (found,) = {line for line in lines if f": {name}" in _title(line)}
        number = int(re.findall(r"line=(\d+)", found)[0])
        assert f"file={file}," in found
        assert text in (place / file).read_text().splitlines()[number - 1], name


def test_paths_are_those_of_the_repository(run_cli: Command, place: Path) -> None:
    """A job may run in a folder below the root, and name a checkpoint by an absolute path."""
    root = str(place.parent)
    odd = str(place / "models" / "odd")
    wanted = f"file={place.name}/models/odd/config.json,"
    assert wanted in _printed(run_cli, place, "github", odd, GITHUB_WORKSPACE=root)
    suite = _printed(run_cli, place, "junit", odd, CI_PROJECT_DIR=root)
    assert f'testsuite name="{place.name}/models/odd"' in suite
    assert f'classname="{place.name}/models/odd"' in suite


def test_expectations_of_the_command_line_blame_the_config(run_cli: Command, place: Path) -> None:
    (line,) = [
        line
        for line in _printed(run_cli, place, "github", "models/odd", "-e", "hidden_size=1").splitlines()
        if "hidden_size=1" in line
    ]
    number = int(re.findall(r"line=(\d+)", line)[0])
    assert '"hidden_size"' in (place / "models" / "odd" / "config.json").read_text().splitlines()[number - 1]


@pytest.mark.parametrize("options", [(), ("models/odd", "embedded:bert-tiny-uncased", "-e", "hidden_size=1")])
@pytest.mark.parametrize("chosen", ["sarif", "gitlab"])
def test_json_of_ci_keeps_its_schema(run_cli: Command, place: Path, chosen: str, options: tuple[str, ...]) -> None:
    document = json.loads(_printed(run_cli, place, chosen, *options))
    schema = json.loads((SCHEMAS / f"{chosen}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    entries: list[Any] = document if chosen == "gitlab" else document["runs"][0]["results"]
    assert len(entries) > 2
    texts = json.dumps(entries)
    assert "models/odd/config.json" in texts
    if not options:
        assert '"bertshape.toml"' in texts
    again = json.loads(_printed(run_cli, place, chosen, *options))
    assert again == document
    broken = entries[0]["location"]["lines"] if chosen == "gitlab" else entries[0]["message"]
    broken.clear()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


def test_fingerprints_tell_problems_apart_and_outlive_lines(run_cli: Command, place: Path, tmp_path: Path) -> None:
    one = json.loads(_printed(run_cli, place, "gitlab"))
    prints = [entry["fingerprint"] for entry in one]
    assert len(set(prints)) == len(prints)
    text = (place / "bertshape.toml").read_text()
    (place / "moved.toml").write_text(f"\n\n{text}")
    moved = json.loads(_printed(run_cli, place, "gitlab", "--contract", "moved.toml"))
    assert [entry["fingerprint"] for entry in moved] == prints
    assert moved[-1]["location"]["lines"]["begin"] == one[-1]["location"]["lines"]["begin"] + 2


def test_a_sound_checkpoint_gives_no_error(run_cli: Command, minilm: Path) -> None:
    done = run_cli("check", str(minilm), "--format", "sarif")
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "sarif.json").read_text())).validate(document)
    assert done.returncode == 0
    assert {found["level"] for found in document["runs"][0]["results"]} <= {"note", "warning"}


def test_junit_keeps_the_schema_of_jenkins(run_cli: Command, place: Path, tmp_path: Path) -> None:
    schema = xmlschema.XMLSchema(str(SCHEMAS / "junit.xsd"))
    text = _printed(run_cli, place, "junit")
    schema.validate(text)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(text.replace("classname=", "group=", 1))
    assert 'file="bertshape.toml"' in text
    assert re.search(r">models/odd/config.json:\d+: num_hidden_layers", text)
    assert re.search(r"bertshape.toml:7: num_attention_heads: expected 13, got 12", text)
    times = [float(time) for time in re.findall(r'testcase [^>]*time="([0-9.]+)"', text)]
    whole = [float(time) for time in re.findall(r'testsuite [^>]*time="([0-9.]+)"', text)]
    assert 0 < sum(times) <= sum(whole) + 0.01
