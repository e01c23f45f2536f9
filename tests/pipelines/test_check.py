"""`check`, `snapshot` and `diff` as a user runs them, on real checkpoints."""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertshape.contract.read import read_contract
from bertshape.contract.write import write_contract
from bertshape.pipelines.check import check
from bertshape.pipelines.check_request import CheckRequest, request_from_contract
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.snapshot import snapshot
from tests.support.checkpoints import FAMILIES, edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

    Command = Callable[..., Run]
    Tiny = Callable[[str], Path]


def test_a_sound_checkpoint_passes(bertshape: Command, minilm: Path) -> None:
    done = bertshape("check", str(minilm))
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("ok "))
    assert row.split()[-1] == "sound"
    wide = bertshape("check", str(minilm), columns=200).stdout
    assert "103 backbone + 1 other" in wide
    assert "11.1 KiB of 86.7 MiB" in wide


def test_json_says_what_was_read(bertshape: Command, minilm: Path) -> None:
    report = json.loads(bertshape("check", str(minilm), "--json").stdout)["checkpoints"][0]
    header = int.from_bytes((minilm / "model.safetensors").read_bytes()[:8], "little")
    assert (report["bytes_read"], report["weight_bytes"]) == (8 + header, 90_868_376)
    assert (report["stored_tensors"], report["backbone_tensors"]) == (104, 103)
    assert report["facts"]["hidden_size"] == 384
    assert report["passed"] is True


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_passes_its_own_snapshot(tiny: Tiny, family: str) -> None:
    """Round trip: snapshot, write, read, check; with a run as well."""
    folder = tiny(family)
    contract = snapshot(str(folder), texts=["Another text, with a longer tail."])
    path = folder.parent / f"{family}.toml"
    path.write_text(write_contract([contract]), encoding="utf-8")
    read = read_contract(path)
    assert read == (contract,)
    report = check(request_from_contract(read[0]))
    assert report.passed, [outcome for outcome in report.outcomes if outcome.problems]
    assert len(report.outcomes) > 20


def test_run_holds_the_observed_to_the_predicted(bertshape: Command, tiny: Tiny) -> None:
    done = bertshape("check", str(tiny("bert")), "--run", "--text", "one text", "-e", "last_hidden_state=[1, _, 48]")
    assert done.returncode == 0, done.stdout
    assert "run of 'one text'" in done.stdout
    done = bertshape("check", "embedded:bert-tiny-uncased", "--run")
    assert done.returncode == 0, done.stdout


DIMENSIONS = {"vocab_size": st.integers(1, 60_000), "num_hidden_layers": st.integers(1, 60)}


@given(changes=st.fixed_dictionaries({}, optional=DIMENSIONS))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_snapshot_notices_any_changed_dimension(
    minilm: Path, tmp_path_factory: pytest.TempPathFactory, changes: dict[str, int]
) -> None:
    folder = edited_copy(minilm, tmp_path_factory.mktemp("changed") / "minilm", **changes)
    contract = snapshot(str(minilm))
    request = CheckRequest(
        ModelSource(str(folder)), expect=contract.expect, tensors=contract.tensors, tokenizer=contract.tokenizer
    )
    report = check(request)
    problems = " ".join(problem for outcome in report.outcomes for problem in outcome.problems)
    if report.error is not None:
        problems = report.error.message
    real = {"vocab_size": 30522, "num_hidden_layers": 6}
    for name, size in changes.items():
        assert size == real[name] or name in problems


def test_expectations_are_all_reported(bertshape: Command, minilm: Path) -> None:
    done = bertshape(
        "check",
        str(minilm),
        *("--expect", "hidden_size=768"),
        *("--expect", "num_hidden_layers>=6"),
        *("--expect", "pooling=cls"),
        *("--expect", "last_hidden_state=[batch_size, sequence_length, 768]"),
        *("--expect", "pooled.mean=[_, 384]"),
        *("--expect", "tensor:embeddings.word_embeddings.weight=[30522, 768]"),
        *("--expect", "tensor:encoder.layer.{0-5}.output.dense.weight=[384, 1536]"),
        columns=200,
    )
    assert done.returncode == 1
    failed = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert failed == [
        "hidden_size: expected 768, got 384",
        "pooling: expected cls, got mean",
        "tensor:embeddings.word_embeddings.weight.axis_1: expected 768, got 384",
        "last_hidden_state.hidden_size: expected 768, got 384",
    ]
    assert "ok        num_hidden_layers>=6, tensor:encoder" in done.stdout


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ("hiden_size=768", ["hiden_size", "hidden_size"]),
        ("pooled.meen=[_, 384]", ["pooled.meen", "pooled.mean"]),
        ("hidden_size", ["NAME=VALUE"]),
        ("last_hidden_state=[1, 2", ["]"]),
        ("last_hidden_state=384", ["shape"]),
    ],
)
def test_what_is_no_expectation_is_a_usage_error(
    bertshape: Command, minilm: Path, expectation: str, words: list[str]
) -> None:
    done = bertshape("check", str(minilm), "--expect", expectation)
    assert done.returncode == 2
    assert all(word in done.stderr for word in words), done.stderr
    assert len(done.stderr.splitlines()) == 2


def _cut(folder: Path, size: int) -> None:
    weights = folder / "model.safetensors"
    content = weights.read_bytes()[:size]
    weights.unlink()
    weights.write_bytes(content)


def _without_pooler(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    state = {name: tensor for name, tensor in load_file(weights).items() if "pooler" not in name}
    weights.unlink()
    save_file(state, weights, metadata={"format": "pt"})


def _five_words(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer["model"]["vocab"] = {word: index for index, word in enumerate(words)}
    for entry in tokenizer["added_tokens"]:
        entry["id"] = words.index(entry["content"])
    for token in ("[CLS]", "[SEP]"):
        tokenizer["post_processor"]["special_tokens"][token]["ids"] = [words.index(token)]
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


@pytest.mark.parametrize(
    ("config", "edit", "options", "code", "named"),
    [
        ({"hidden_size": 768}, None, [], 1, "hidden_size"),
        ({"num_hidden_layers": 4}, None, [], 1, "num_hidden_layers"),
        ({"num_hidden_layers": 8}, None, [], 1, "num_hidden_layers"),
        ({}, _without_pooler, ["--expect", "pooler=trained"], 1, "pooler: expected trained, got random"),
        ({}, lambda folder: _cut(folder, 40_000_000), [], 1, "model.safetensors"),
        ({}, lambda folder: _cut(folder, 5_000), [], 1, "model.safetensors"),
        ({}, _five_words, [], 1, "tokenizer.json"),
    ],
)
def test_broken_checkpoints_are_named_in_one_line(
    bertshape: Command,
    minilm: Path,
    tmp_path: Path,
    config: dict[str, object],
    edit: Callable[[Path], None] | None,
    options: list[str],
    code: int,
    named: str,
) -> None:
    folder = edited_copy(minilm, tmp_path / "broken", **config)
    if edit:
        edit(folder)
    done = bertshape("check", str(folder), "--quiet", *options, columns=250)
    assert done.returncode == code, done.stdout
    failing = [line for line in done.stdout.splitlines() if line.startswith(("error", "FAIL"))]
    assert len(failing) == 1, done.stdout
    assert named in failing[0]
    assert "Traceback" not in done.stderr


def test_one_unreadable_checkpoint_does_not_hide_the_others(bertshape: Command, minilm: Path) -> None:
    done = bertshape("check", "./nosuch", str(minilm), "-e", "hidden_size=768")
    assert done.returncode == 3
    assert "./nosuch does not exist" in done.stdout
    assert "expected 768, got 384" in done.stdout


def test_a_text_that_is_too_long_says_nothing_of_the_files(
    run_cli: Callable[..., Any], minilm: Path, tmp_path: Path
) -> None:
    case = f'[[checkpoint.case]]\ntext = "{"word " * 700}"\nshapes = {{ last_hidden_state = [1, 4, 384] }}\n'
    other = f'[[checkpoint]]\nmodel = "{minilm}"\n'
    (tmp_path / "c.toml").write_text(f"{other}{case}{other}")
    done = run_cli("check", "--contract", str(tmp_path / "c.toml"))
    assert (done.returncode, "cannot be checked" in done.stdout) == (2, True)
    assert "cannot be read" not in done.stdout


def test_contract_in_the_folder_is_found(
    bertshape: Command, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_copy(minilm, tmp_path / "minilm")
    monkeypatch.chdir(tmp_path)
    assert bertshape("check").returncode == 2, "nothing to check yet"
    (tmp_path / "sub").mkdir()
    assert bertshape("snapshot", "minilm", "-o", "sub/bertshape.toml").returncode == 0
    assert tomllib.loads((tmp_path / "sub" / "bertshape.toml").read_text())["checkpoint"][0]["model"] == "../minilm"
    monkeypatch.chdir(tmp_path / "sub")
    assert bertshape("check", "--quiet").stdout == ""
    config = tmp_path / "minilm" / "config.json"
    config.write_text(config.read_text().replace('"intermediate_size": 1536', '"intermediate_size": 1530'))
    done = bertshape("check", "--quiet")
    assert done.returncode == 1
    assert "intermediate_size: expected 1536, got 1530" in done.stdout
    (tmp_path / "sub" / "bertshape.toml").write_text('[[checkpoint]]\nmodel = "x"\nexpekt = []\n')
    done = bertshape("check")
    assert done.returncode == 2
    assert "checkpoint[0].expekt" in done.stderr
    assert "expect" in done.stderr


def test_junit(bertshape: Command, minilm: Path) -> None:
    """Elements, order and attributes of Ant's schema; counts that add up; nothing that XML has no place for."""
    options = ("--format", "junit", "-e", "hidden_size=768", "--text", "a\x1b<&>")
    root = ElementTree.fromstring(bertshape("check", str(minilm), "./nosuch", *options).stdout)
    assert root.tag == "testsuites"
    passing, unreadable = list(root)
    assert [child.tag for child in passing][:2] == ["properties", "testcase"]
    assert [child.tag for child in passing][-2:] == ["system-out", "system-err"]
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
        assert {"name", "package", "id", "timestamp", "hostname", "time"} <= set(suite.attrib)
        assert all({"name", "classname", "time"} <= set(case.attrib) for case in cases)
    assert passing.find("testcase/failure").attrib["message"] == "hidden_size: expected 768, got 384"  # type: ignore[union-attr]
    assert unreadable.find("testcase/error").attrib["type"] == "folder-not-found"  # type: ignore[union-attr]


def test_github(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    """One line a problem, escaped as GitHub reads it; the table is added to the step summary."""
    folder = edited_copy(minilm, tmp_path / "a,b:c%\n|d", hidden_size=768)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = bertshape("check", str(folder), "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 1
    errors = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert len(errors) == 1
    assert "a%2Cb%3Ac%25\\n" in errors[0].split("::")[1]
    assert "hidden_size" in errors[0]
    table = summary.read_text().splitlines()
    assert table[0] == "before"
    assert table[1].startswith("| checkpoint")
    assert all(line.replace("\\|", "").count("|") == 4 for line in table[1:])


def test_diff(bertshape: Command, minilm: Path, tiny: Tiny, tmp_path: Path) -> None:
    same = bertshape("diff", str(minilm), str(minilm))
    assert same.returncode == 0
    assert "do not differ" in " ".join(same.stdout.split())
    done = bertshape("diff", str(minilm), str(tiny("bert")), columns=250)
    assert done.returncode == 1
    names, table, tensors, remarks = done.stdout.split("\n\n")
    assert names.splitlines() == [f"A  {minilm}", f"B  {tiny('bert')}"]
    header, _, *rows = table.splitlines()
    assert header.split() == ["field", "A", "B"]
    title, tensor_header, _, *tensor_rows = tensors.splitlines()
    assert title.startswith("Tensors that differ")
    assert tensor_header.split() == ["tensor", "A", "B"]
    cells = [row.split("  ") for row in (*rows, *tensor_rows)]
    found = [tuple(cell.strip() for cell in row if cell.strip()) for row in cells]
    assert ("hidden_size", "384", "48") in found
    assert ("num_hidden_layers", "6", "5") in found
    assert ("encoder.layer.{0-4}.output.dense.weight", "[384, 1536]", "[48, 56]") in found
    assert ("encoder.layer.5.output.dense.weight", "[384, 1536]", "–") in found
    assert "type_vocab_size 2" in next(line for line in remarks.splitlines() if line.startswith("equal"))
    document = json.loads(bertshape("diff", str(minilm), str(tiny("bert")), "--json").stdout)
    assert document["differences"]["hidden_size"] == {"before": 384, "after": 48}
    assert document["tokens_differing"] > 30_000


def test_diff_with_a_contract(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    contract = tmp_path / "minilm.toml"
    assert bertshape("snapshot", str(minilm), "-o", str(contract)).returncode == 0
    assert bertshape("diff", str(minilm), str(contract)).returncode == 0
    folder = edited_copy(minilm, tmp_path / "more", max_position_embeddings=600)
    done = bertshape("diff", str(contract), str(folder), columns=200)
    assert done.returncode == 1
    assert "max_position_embeddings 512 600" in " ".join(done.stdout.split())


def test_a_snapshot_is_written_whole_or_not_at_all(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    target = tmp_path / "bertshape.toml"
    target.write_text("old")
    assert bertshape("snapshot", "./nosuch", "-o", str(target)).returncode == 3
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["bertshape.toml"]


def test_non_finite_values_are_found_only_when_asked(bertshape: Command, tiny: Tiny, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = edited_copy(tiny("bert"), tmp_path / "nan")
    state = load_file(folder / "model.safetensors")
    state["encoder.layer.1.output.dense.weight"][3, 4] = float("nan")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    assert bertshape("check", str(folder)).returncode == 0
    done = bertshape("check", str(folder), "--values", "--quiet", columns=200)
    assert done.returncode == 1
    assert "encoder.layer.1.output.dense.weight" in done.stdout


def test_a_tokenizer_that_differs_in_no_token_differs(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    """A normalizer changes every text that has a capital letter, and no token of the vocabulary."""
    folder = edited_copy(minilm, tmp_path / "cased")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    done = bertshape("diff", str(minilm), str(folder), columns=200)
    assert done.returncode == 1
    assert "no tokens differ, the tokenizer files differ" in done.stdout


def test_a_revision_is_not_passed_over(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    contract = tmp_path / "bertshape.toml"
    assert bertshape("snapshot", str(minilm), "-o", str(contract)).returncode == 0
    done = bertshape("check", "--contract", str(contract), "--revision", "nonsense")
    assert done.returncode == 2
    assert "--revision" in done.stderr


def test_a_snapshot_finds_its_checkpoint_through_a_link(bertshape: Command, minilm: Path, tmp_path: Path) -> None:
    """`..` is taken from where a link leads, by the system as by the contract."""
    (tmp_path / "away" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("away/sub")
    edited_copy(minilm, tmp_path / "models")
    relative = os.path.relpath(tmp_path / "models")
    assert bertshape("snapshot", relative, "-o", str(tmp_path / "link" / "c.toml")).returncode == 0
    for way in ("away/sub", "link"):
        assert bertshape("check", "--contract", str(tmp_path / way / "c.toml")).returncode == 0, way


@pytest.mark.parametrize(
    ("options", "seen", "unseen"),
    [
        ((), ["103 backbone tensors", "the tokenizer", "the steps of modules.json"], ["values (--values)", "a run"]),
        (("--values",), ["values"], ["a run (--run)"]),
    ],
    ids=["headers", "values"],
)
def test_a_verdict_says_what_was_looked_at(
    run_cli: Callable[..., Any], minilm: Path, options: tuple[str, ...], seen: list[str], unseen: list[str]
) -> None:
    (checkpoint,) = json.loads(run_cli("check", str(minilm), "--json", *options).stdout)["checkpoints"]
    assert all(any(word in part for part in checkpoint["looked_at"]) for word in seen)
    assert all(any(word in part for part in checkpoint["not_looked_at"]) for word in unseen)
    assert not set(checkpoint["looked_at"]) & set(checkpoint["not_looked_at"])
    screen = " ".join(run_cli("check", str(minilm), *options).stdout.split())
    assert f"sound {' '.join(checkpoint['looked_at'][:1])}" in screen
    assert f"not seen {checkpoint['not_looked_at'][0]}" in screen


def test_every_name_of_the_list_can_be_expected(run_cli: Callable[..., Any], minilm: Path) -> None:
    """With the value that stands there it holds; those that have none hold for a sound model."""
    names = run_cli("check", "--list", str(minilm), columns=None).stdout.splitlines()
    assert {"hidden_size=384", "sequence_length=8", "sentence_embedding=[1, 384]", "deterministic"} <= {*names}
    done = run_cli("check", str(minilm), "--run", *(part for name in names for part in ("-e", name)))
    assert done.returncode == 0, done.stdout
    assert run_cli("check", "--list", str(minilm), "--json").returncode == 2
