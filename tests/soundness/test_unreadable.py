"""The list of what cannot be read, in docs/check.md: `check` gives the code and the exit code of each row."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from bertshape.checkpoint.foreign_kinds import KINDS
from tests.project.test_finding_list import rows as listed
from tests.soundness.editing import settings
from tests.soundness.test_cases import POINTER, pickled, rows
from tests.soundness.test_foreign import KINDS as FOLDERS
from tests.support.checkpoints import edited_copy
from tests.support.weight_files import packed, tensor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command
    from tests.soundness.editing import Edit

    Tiny = Callable[[str], Path]

INDEX, ONE, TWO = "model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def weights(content: bytes) -> Edit:
    def edit(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(content)

    return edit


def index(content: str, **shards: bytes) -> Edit:
    """Edit that puts an index and shards in the place of the weights."""

    def edit(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / INDEX).write_text(content)
        for name, shard in shards.items():
            (folder / {"one": ONE, "two": TWO}[name]).write_bytes(shard)

    return edit


def mapped(**files: str) -> str:
    return json.dumps({"weight_map": files})


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def written(name: str, content: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).write_text(content)

    return edit


STORED = packed({"a": tensor()}, 8)
BOTH = packed({"b": tensor(), "a": tensor(offsets=(8, 16))}, 16)
EDITS: dict[str, Edit] = {
    "config-invalid": settings("config.json", hidden_size="x"),
    "config-missing": lambda folder: (folder / "config.json").unlink(),
    "file-duplicate": written("tokenizer_config.json", '{"a": 1, "a": 2}'),
    "file-json": written("config.json", "{"),
    "git-lfs-pointer": written("config.json", POINTER),
    "not-an-encoder": settings("config.json", model_type="vit", image_size=224, architectures=None),
    "tokenizer-invalid": written("tokenizer.json", "{"),
    "tokenizer-missing": without_tokenizer,
    "tokenizer-settings-invalid": settings("tokenizer_config.json", extra_special_tokens=3),
    "weights-file-trailing": weights(packed({"a": tensor()}, 9)),
    "weights-file-truncated": weights(packed({"a": tensor()}, 7)),
    "weights-header-json": weights(packed("{")),
    "weights-header-duplicate": weights(packed('{"a": 1, "a": 2}')),
    "weights-header-length": weights(bytes(4000)),
    "weights-header-metadata": weights(packed({"__metadata__": {"a": 1}})),
    "weights-header-truncated": weights(b"\xff\0\0\0\0\0\0\0{}"),
    "weights-tensor-dtype": weights(packed({"a": tensor(dtype="F99")}, 8)),
    "weights-tensor-entry": weights(packed({"a": 1})),
    "weights-tensor-shape": weights(packed({"a": tensor(shape="x")}, 8)),
    "weights-tensor-offsets": weights(packed({"a": tensor(offsets=(0, 9))}, 9)),
    "weights-index-json": index("{"),
    "weights-index-duplicate": index('{"a": 1, "a": 2}'),
    "weights-index-map": index("{}"),
    "weights-not-safetensors": weights(b"<!doctype html>"),
    "weights-shard-missing": index(mapped(a=ONE, b=TWO), one=STORED),
    "weights-shard-outside": index(mapped(a="../x.safetensors")),
    "weights-tensor-missing": index(mapped(a=ONE, b=ONE), one=STORED),
    "weights-tensor-twice": index(mapped(a=ONE, b=TWO), one=STORED, two=BOTH),
    "weights-without-tensors": pickled(lambda _: {"lr": 1}),
}
NOT_HERE = {
    "file-not-text": "a contract alone is read as text",
    "file-too-large": "the test would write hundreds of megabytes",
    "file-unreadable": "whoever is root may read everything",
    "folder-unreadable": "whoever is root may read everything",
    "token-id-out-of-range": "a tokenizer's own test has it",
    "tokenizer-package-missing": "tests/soundness/test_cases.py has it",
    "values-not-here": "tests/checkpoint/test_hub_check.py has it",
    "weights-file-unreadable": "whoever is root may read everything",
    "weights-folder-unreadable": "whoever is root may read everything",
    "weights-header-size": "a header of millions of tensors",
    "weights-index-size": "an index of millions of tensors",
    "weights-unsafe": "tests/hostile/weights.py has it: only loading says it",
}


def test_each_row_has_a_folder() -> None:
    foreign = {code for _, _, code, _ in FOLDERS.values()}
    assert set(listed("## What cannot be read")) - foreign - set(EDITS) == set(NOT_HERE)
    assert {kind.code for kind in KINDS} <= foreign


@pytest.mark.parametrize("code", EDITS)
def test_check_gives_the_code_and_exit_code_of_the_row(code: str, tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    folder = edited_copy(tiny("bert"), tmp_path / "it")
    EDITS[code](folder)
    done = run_cli("check", str(folder), "--json")
    assert code in [row["code"] for row in rows(json.loads(done.stdout))]
    assert str(done.returncode) in re.findall(r"\d", listed("## What cannot be read")[code][1])


@pytest.mark.parametrize("name", FOLDERS)
def test_a_foreign_folder_gives_the_exit_code_of_its_row(name: str) -> None:
    """test_foreign.py sees that `check` gives it."""
    _, exit_code, code, _ = FOLDERS[name]
    row = listed("## What cannot be read").get(code)
    assert row is None or exit_code == 0 or str(exit_code) in row[1], code


def test_one_bad_checkpoint_loses_nothing_of_the_others(tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    """Whatever is wrong with it, and wherever it stands among them."""
    good, names = tiny("bert"), []
    for code in ("tokenizer-invalid", "file-json", "weights-header-json", "config-missing"):
        folder = edited_copy(good, tmp_path / code)
        EDITS[code](folder)
        names.append(str(folder))
    done = run_cli("check", names[0], names[1], str(good), *names[2:], str(tmp_path / "nowhere"), "--json")
    checked = json.loads(done.stdout)["checkpoints"]
    assert [row["passed"] for row in checked] == [False, False, True, False, False, False]
    assert done.returncode == 3
    # A tokenizer that cannot be read hides nothing else of its own checkpoint.
    assert checked[0]["facts"]["hidden_size"] == 48
    assert any("backbone tensors" in part for part in checked[0]["looked_at"])
    assert "the tokenizer (it cannot be read)" in checked[0]["not_looked_at"]
