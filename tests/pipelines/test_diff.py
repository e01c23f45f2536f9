"""What `diff` counts, on small checkpoints; tests/pipelines/test_check.py has it on real ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hostile.model import VOCABULARY, shapes, sound, tokenizer_json, weights_of
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command


@pytest.mark.parametrize(
    ("before", "after", "differing"),
    [
        (VOCABULARY, VOCABULARY, 0),
        (VOCABULARY, (*VOCABULARY, "more"), 1),
        ((*VOCABULARY, "more"), VOCABULARY, 1),
        ((*VOCABULARY, "one"), (*VOCABULARY, "other"), 2),
        ((*VOCABULARY, "one", "two"), (*VOCABULARY, "two", "one"), 2),
    ],
    ids=["none", "one more", "one less", "another", "exchanged"],
)
def test_tokens_of_both_sides_are_counted(
    run_cli: Command, tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...], differing: int
) -> None:
    """A token counts that one side lacks, whichever it is, and one that has another id."""
    for name, vocabulary in (("before", before), ("after", after)):
        (sound(tmp_path / name) / "tokenizer.json").write_text(tokenizer_json(vocabulary))
    done = run_cli("diff", "before/m", "after/m", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["tokens_differing"] == differing
    assert done.returncode == (1 if differing else 0)


@pytest.mark.parametrize("old_endings", [False, True], ids=["prefix", "prefix and gamma"])
def test_a_tensor_under_two_names_is_one_tensor(run_cli: Command, tmp_path: Path, *, old_endings: bool) -> None:
    """A task head puts `bert.` before every name: transformers loads the same backbone from both files."""
    before, after = (sound(tmp_path / side) for side in ("before", "after"))
    endings = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"} if old_endings else {}
    stored = {}
    for name, shape in shapes().items():
        for new, old in endings.items():
            name = name.replace(new, old)
        stored[f"bert.{name}"] = shape
    (after / "model.safetensors").write_bytes(weights_of(stored | {"classifier.weight": (3, 8)}))
    done = run_cli("diff", str(before), str(after), "--values", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["same_tensors"] == len(shapes())
    assert document["tensors"] == {"classifier.weight": {"before": None, "after": "[3, 8]"}}
    assert document["values_differing"] == []
    first = next(iter(shapes()))
    assert document["differences"]["stored_name"]["before"] == first
    assert document["differences"]["stored_name"]["after"].startswith(f"bert.{first.rpartition('.')[0]}.")


def test_names_that_both_sides_store_stay(run_cli: Command, tmp_path: Path) -> None:
    before, after = (sound(tmp_path / side) for side in ("before", "after"))
    for folder, more in ((before, {}), (after, {"bert.extra.weight": (3,)})):
        stored = {f"bert.{name}": shape for name, shape in shapes().items()}
        (folder / "model.safetensors").write_bytes(weights_of(stored | more))
    document = json.loads(run_cli("diff", str(before), str(after), "--json").stdout)
    assert list(document["tensors"]) == ["bert.extra.weight"]
    assert "stored_name" not in document["differences"]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_three_columns_in_every_width(run_cli: Command, tmp_path: Path, minilm: Path, columns: int) -> None:
    """Long values are folded in their cell; names stay whole from 80 columns on."""
    lines = run_cli("diff", str(minilm), str(sound(tmp_path)), columns=columns).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert [line.split() for line in lines if line.endswith("  B")] == [["field", "A", "B"], ["tensor", "A", "B"]]
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    if columns >= 80:
        assert rows["num_hidden_layers"] == ["6", "2"]
        assert rows["embeddings.token_type_embeddings.weight"] == ["[2,", "384]", "[2,", "8]"]
    assert sum(line.startswith("modules") for line in lines) == 1, "one row for a chain that only one side has"


@pytest.mark.parametrize("kind", ["table", "csv", "markdown", "html"])
def test_every_format_says_what_is_wrong_with_a_side(run_cli: Command, tmp_path: Path, minilm: Path, kind: str) -> None:
    """Weights that are cut off are no weights that are not stored."""
    broken = edited_copy(minilm, tmp_path / "broken")
    whole = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").unlink()
    (broken / "model.safetensors").write_bytes(whole[:100_000])
    done = run_cli("diff", str(minilm), str(broken), "--format", kind, columns=400)
    said = done.stdout.replace("\\", "")
    assert done.returncode == 1
    assert "is cut off: it has 100,000 bytes" in said
    assert "the weights of B cannot be read" in said
    assert "stores no weights" not in said
    # Of 23 tensors that one side lacks a person needs no list; a program may.
    assert ("encoder.layer" in said) == (kind == "csv")
