"""`diff --texts`: which texts get other tokens, and other embeddings, counted by the libraries themselves."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy
import pytest
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer

from bertshape import diff_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command

TEXTS = ["paris is here", "nothing of that kind", "so is paris paris", "one", "two words", "a longer text of no note"]


@pytest.fixture
def moved(minilm: Path, tmp_path: Path) -> Path:
    """MiniLM with two words of its vocabulary in each other's place."""
    folder = tmp_path / "moved"
    shutil.copytree(minilm, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "model.safetensors").symlink_to(minilm / "model.safetensors")
    for name in ("tokenizer.json", "vocab.txt"):
        text = (folder / name).read_text()
        quote = '"{}"' if name.endswith("json") else "\n{}\n"
        words = [quote.format(word) for word in ("paris", "berlin", "-")]
        for old, new in ((0, 2), (1, 0), (2, 1)):
            text = text.replace(words[old], words[new]) if old != 2 else text.replace(words[2], words[1])
        (folder / name).write_text(text)
    return folder


def ids(folder: Path, texts: list[str]) -> list[list[int]]:
    found: list[list[int]] = AutoTokenizer.from_pretrained(str(folder))(texts)["input_ids"]
    return found


def cosines(*folders: Path) -> Any:
    one, other = (
        SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(TEXTS) for folder in folders
    )
    return (one * other).sum(1) / numpy.linalg.norm(one, axis=1) / numpy.linalg.norm(other, axis=1)


def test_counts_are_those_of_the_libraries(minilm: Path, moved: Path) -> None:
    drift = diff_checkpoints(minilm, moved, corpus=TEXTS).drift
    assert drift is not None
    pairs = list(zip(ids(minilm, TEXTS), ids(moved, TEXTS), strict=True))
    changed = [index for index, (one, other) in enumerate(pairs) if one != other]
    assert changed == [0, 2]
    assert (drift.texts, drift.retokenized, drift.changed) == (len(TEXTS), 2, 2)
    assert drift.lengths == (sum(len(one) for one, _ in pairs), sum(len(other) for _, other in pairs))
    assert drift.ids_moved == 2
    expected = cosines(minilm, moved)
    assert drift.cosines is not None
    assert drift.cosines.least == pytest.approx(expected.min(), abs=1e-5)
    assert drift.cosines.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert drift.cosines.changed == 2
    worst = drift.worst[0]
    assert (worst.line - 1) == int(expected.argmin())
    assert (worst.position, worst.tokens) in ((1, ("paris", "paris")), (3, ("paris", "paris")))
    assert worst.ids[0] != worst.ids[1]


def test_a_limit_decides_the_exit_code_alone(minilm: Path, moved: Path, tmp_path: Path, bertshape: Command) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(TEXTS) + "\n")
    asked = ("diff", str(minilm), str(moved), "--texts", str(corpus), "--json", "--max-drift")
    for limit, code in (("33%", 1), ("34%", 0)):
        result = bertshape(*asked, limit)
        document = json.loads(result.stdout)
        assert (result.returncode, document["ok"], document["drift"]["changed"]) == (code, code == 0, 2)
    screen = bertshape(*asked[:5], "--max-drift", "33%").stdout
    assert "fails: 33.33% change, 33.00% may" in screen
    assert "other ids in 2 texts" in screen


def test_the_same_checkpoint_does_not_drift(minilm: Path, tmp_path: Path, bertshape: Command) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(TEXTS) + "\n")
    result = bertshape("diff", str(minilm), str(minilm), "--texts", str(corpus))
    assert result.returncode == 0
    assert "0 of 6 change" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-drift", "1%"], "--max-drift counts texts, and there are none"),
        (["--texts", "{empty}"], "has no texts"),
        (["--texts", "{empty}", "--max-drift", "few"], "is no percentage"),
    ],
)
def test_bad_options_are_usage_errors(
    options: list[str], message: str, minilm: Path, tmp_path: Path, bertshape: Command
) -> None:
    (tmp_path / "empty.txt").touch()
    given = [option.format(empty=tmp_path / "empty.txt") for option in options]
    result = bertshape("diff", str(minilm), str(minilm), *given)
    assert (result.returncode, message in result.stderr) == (2, True)


def test_vectors_that_cannot_be_compared_do_not_pass(minilm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nan"
    shutil.copytree(minilm, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    weights = load_file(minilm / "model.safetensors")
    weights["encoder.layer.5.output.dense.bias"][0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    compared = diff_checkpoints(minilm, folder, corpus=TEXTS, max_drift=0.5)
    assert compared.drift is not None
    assert (compared.drift.retokenized, compared.drift.changed, compared.ok) == (0, len(TEXTS), False)
    (folder / "model.safetensors").unlink()
    compared = diff_checkpoints(minilm, folder, corpus=TEXTS, max_drift=0.5)
    assert compared.drift is not None
    assert (compared.drift.changed, compared.drift.reason, compared.ok) == (0, "B stores no weights", False)
    assert diff_checkpoints(folder, folder, corpus=TEXTS, max_drift=0.5).ok
