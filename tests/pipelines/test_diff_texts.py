"""`diff --text`: what two checkpoints give for a text, and how alike their sentence embeddings are."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from bertshape import diff_checkpoints, inspect_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command

TEXT = "This is an example sentence."


@pytest.fixture(scope="module")
def changed(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny BERT with other numbers in one layer: nothing that headers show."""
    folder = tmp_path_factory.mktemp("changed") / "m"
    shutil.copytree(tiny("bert"), folder)
    tensors = load_file(folder / "model.safetensors")
    noise = torch.randn(tensors["encoder.layer.4.output.dense.weight"].shape, generator=torch.manual_seed(3))
    tensors["encoder.layer.4.output.dense.weight"] += noise
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_the_cosine_is_that_of_encode(tiny: Callable[[str], Path], changed: Path, run_cli: Command) -> None:
    """Headers and tokenizer are equal; only a run shows that the models are not."""
    folders = str(tiny("bert")), str(changed)
    assert diff_checkpoints(*folders).same
    comparison = diff_checkpoints(*folders, texts=TEXT)
    one, other = (SentenceTransformer(folder, device="cpu").encode(TEXT, convert_to_tensor=True) for folder in folders)
    expected = float(torch.nn.functional.cosine_similarity(one, other, dim=0))
    assert comparison.texts[0].cosine == pytest.approx(expected, abs=1e-6)
    assert expected < 0.999
    assert not comparison.same
    shown = run_cli("diff", *folders, "--text", TEXT)
    assert shown.returncode == 1
    assert f"cosine    {comparison.texts[0].cosine:.6f} of the sentence embeddings" in shown.stdout


def test_one_model_gives_one_vector(tiny: Callable[[str], Path], run_cli: Command) -> None:
    folder = str(tiny("bert"))
    done = run_cli("diff", folder, folder, "--text", TEXT, "--text", "", "--json")
    texts = json.loads(done.stdout)["texts"]
    assert [text["cosine"] for text in texts] == pytest.approx([1, 1])
    assert [text["text"] for text in texts] == [TEXT, ""]
    assert texts[1]["before"]["input_ids"] == [2, 3]
    assert done.returncode == 0


def test_sizes_that_part_have_no_cosine(tiny: Callable[[str], Path], minilm: Path, run_cli: Command) -> None:
    """Tokens and shapes are compared all the same, and nothing runs."""
    done = run_cli("diff", str(tiny("bert")), str(minilm), "--text", TEXT, columns=80)
    shown = " ".join(done.stdout.split())
    length = len(inspect_texts(TEXT, model=tiny("bert"), weights="none").tokenization.rows[0].tokens)
    assert f"tokens {length} 8" in shown
    assert f"last_hidden_state [1, {length}, 48] [1, 8, 384]" in shown
    assert "sentence_embedding [1, 48] [1, 384]" in shown
    assert "token 0 [CLS] (2) [CLS] (101)" in shown
    assert "ids       part at token 0" in done.stdout
    assert "cosine    none: the sentence embeddings have 48 and 384 numbers" in done.stdout
    assert done.returncode == 1


def test_without_weights_there_is_no_cosine(run_cli: Command) -> None:
    tiny = "embedded:bert-tiny-uncased"
    (text,) = json.loads(run_cli("diff", tiny, tiny, "--text", TEXT, "--json").stdout)["texts"]
    assert (text["cosine"], text["reason"]) == (None, "A stores no weights")
    assert text["before"]["shapes"] == {
        "last_hidden_state": [1, 8, 128],
        "pooler_output": [1, 128],
        "sentence_embedding": [1, 128],
    }


def test_an_unsound_model_has_no_cosine(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(tiny("bert"), tmp_path / "m")
    tensors = load_file(tmp_path / "m" / "model.safetensors")
    save_file({f"module.{name}": tensor for name, tensor in tensors.items()}, tmp_path / "m" / "model.safetensors")
    (text,) = diff_checkpoints(tiny("bert"), tmp_path / "m", texts=TEXT).texts
    assert text.cosine is None
    assert text.reason is not None
    assert text.reason.startswith("B is not sound (")


def test_a_contract_takes_no_text(run_cli: Command, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[[checkpoint]]\nmodel = "embedded:bert-tiny-uncased"\n')
    done = run_cli("diff", "embedded:bert-tiny-uncased", "c.toml", "--text", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "c.toml is a contract" in done.stderr
