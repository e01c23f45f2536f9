"""The chain to the sentence embedding: each step's shape and numbers, compared with `SentenceTransformer.encode`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, Pooling

from bertshape import inspect_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

TEXTS = ["one", "Two words.", "Sentence embeddings average the vectors of tokens."]


def save_chain(folder: Path, minilm: Path, *steps: Any, pooling: Any = "mean") -> Path:
    """A sentence-transformers checkpoint on MiniLM with the given steps after its pooling."""
    torch.manual_seed(3)
    modules = [Transformer(str(minilm)), Pooling(384, pooling), *steps]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    return folder


CHAINS: dict[str, Callable[[], list[Any]]] = {
    "dense": lambda: [Dense(384, 128)],
    "dense without bias": lambda: [Dense(384, 128, bias=False, activation_function=torch.nn.Identity()), Normalize()],
    "dense with gelu": lambda: [Dense(384, 512, activation_function=torch.nn.GELU())],
    "GLU halves": lambda: [Dense(384, 64, activation_function=torch.nn.GLU()), Dense(32, 16), Normalize()],
    "residual": lambda: [Dense(384, 384, use_residual=True)],
    "residual of another size": lambda: [Dense(384, 96, use_residual=True)],
    "layer norm and dropout": lambda: [LayerNorm(384), Dropout(0.5), Dense(384, 64), Dense(64, 32), Normalize()],
}


@pytest.mark.parametrize("name", CHAINS)
def test_values_are_those_of_encode(name: str, minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, *CHAINS[name]())
    report = inspect_texts(TEXTS, model=str(folder), pooling=["mean"], save=tmp_path / "out.safetensors")
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    actual = load_file(tmp_path / "out.safetensors")["sentence_embedding"]
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=1e-5)
    assert not report.failed
    last = report.embedding[-1].shape
    assert last is not None
    assert last.sizes == tuple(expected.shape)
    # hidden_size is the model's; what a Dense gives has a size of its own, under the name that its own config has.
    sized = [step.shape.axes[-1] for step in report.embedding if step.shape and step.name in ("Dense", "Pooling")]
    assert sized == ["hidden_size"] + ["embedding_dimension"] * (len(sized) - 1)
    assert [step.evidence for step in report.embedding] == ["observed"] * len(report.embedding)


@pytest.mark.parametrize("pooling", ["cls", "max", ("cls", "mean"), "weightedmean", "lasttoken"])
def test_every_pooling_begins_the_chain(pooling: Any, minilm: Path, tmp_path: Path) -> None:
    parts = 1 if isinstance(pooling, str) else len(pooling)
    folder = save_chain(tmp_path / "model", minilm, Dense(384 * parts, 20), pooling=pooling)
    inspect_texts(TEXTS, model=str(folder), pooling=["mean"], save=tmp_path / "out.safetensors")
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    actual = load_file(tmp_path / "out.safetensors")["sentence_embedding"]
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [64, 128, 500])
def test_truncation_is_that_of_encode(size: int, minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 128))
    report = inspect_texts(TEXTS, model=str(folder), truncate_dim=size, save=tmp_path / "out.safetensors")
    expected = SentenceTransformer(str(folder), device="cpu", truncate_dim=size).encode(TEXTS, convert_to_tensor=True)
    actual = load_file(tmp_path / "out.safetensors")["sentence_embedding"]
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=1e-5)
    last = report.embedding[-1]
    assert last.shape is not None
    assert (last.name, last.shape.sizes) == ("truncate_dim", tuple(expected.shape))
    assert last.shape.axes == ("batch_size", "embedding_dimension")


@pytest.mark.parametrize("name", CHAINS)
def test_predicted_and_observed_shapes_agree(name: str, minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, *CHAINS[name]())
    predicted = inspect_texts(TEXTS, model=str(folder), weights="none")
    for weights in ("checkpoint", "random"):
        observed = inspect_texts(TEXTS, model=str(folder), weights=weights)
        assert [step.shape for step in predicted.embedding] == [step.shape for step in observed.embedding]
    assert {step.evidence for step in predicted.embedding} == {"predicted"}


def test_pickled_steps_are_read(minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 24))
    state = load_file(folder / "2_Dense" / "model.safetensors")
    (folder / "2_Dense" / "model.safetensors").unlink()
    torch.save(state, folder / "2_Dense" / "pytorch_model.bin")
    inspect_texts(TEXTS, model=str(folder), save=tmp_path / "out.safetensors")
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(load_file(tmp_path / "out.safetensors")["sentence_embedding"], expected)


def test_steps_on_token_vectors_are_followed(minilm: Path, tmp_path: Path) -> None:
    """As in late-interaction models: a Dense on every token's vector, no pooling."""
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 16, module_input_name="token_embeddings"))
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([modules[0], modules[2]]))
    report = inspect_texts(TEXTS, model=str(folder))
    length = report.tokenization.sequence_length
    assert [step.shape.sizes for step in report.embedding if step.shape] == [(3, length, 384), (3, length, 16)]


def edit(folder: Path, file: str, **values: object) -> Path:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return folder


def test_a_step_that_does_not_fit_is_named(minilm: Path, tmp_path: Path) -> None:
    """The chain stops there, and the rest of the report is whole."""
    folder = edit(
        save_chain(tmp_path / "model", minilm, Dense(384, 24), Normalize()), "2_Dense/config.json", in_features=99
    )
    for weights in ("none", "checkpoint"):
        report = inspect_texts(TEXTS, model=str(folder), weights=weights)
        reasons = [step.reason for step in report.embedding]
        assert reasons == [None, None, "it takes 99 numbers, and is given 384", "Dense, before it, cannot be followed"]
        assert report.failed
        assert any(finding.code == "embedding-dimension-mismatch" for finding in report.findings)


def test_a_step_without_weights_is_named(minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 24))
    (folder / "2_Dense" / "model.safetensors").unlink()
    report = inspect_texts(TEXTS, model=str(folder))
    assert report.embedding[-1].reason == "2_Dense holds no weights"
    assert report.failed


def test_a_step_of_its_own_kind_is_not_guessed(minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, Normalize())
    modules = json.loads((folder / "modules.json").read_text())
    modules[2]["type"] = "somebody.own.Magic"
    (folder / "modules.json").write_text(json.dumps(modules))
    report = inspect_texts(TEXTS, model=str(folder))
    assert report.embedding[-1].reason is not None
    assert report.embedding[-1].reason.startswith("somebody.own.Magic is code outside sentence-transformers")
    modules[2]["type"] = "sentence_transformers.models.LSTM"
    (folder / "modules.json").write_text(json.dumps(modules))
    report = inspect_texts(TEXTS, model=str(folder), weights="none")
    assert report.embedding[-1].reason == "bertshape does not follow the module LSTM"


def test_an_activation_outside_torch_is_never_imported(minilm: Path, tmp_path: Path) -> None:
    """sentence-transformers takes Tanh in its place unless remote code is trusted, and so does bertshape."""
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 24))
    edit(folder, "2_Dense/config.json", activation_function="antigravity.fly")
    report = inspect_texts(TEXTS, model=str(folder))
    assert report.embedding[-1].formula == "Tanh(W h + b)"
    edit(folder, "2_Dense/config.json", activation_function="torch.hub.load")
    with pytest.raises(CheckpointError, match=r"torch\.hub\.load"):
        inspect_texts(TEXTS, model=str(folder))


def test_broken_weights_of_a_step_are_named(minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 24))
    (folder / "2_Dense" / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="2_Dense"):
        inspect_texts(TEXTS, model=str(folder))


def test_truncation_needs_a_declared_embedding() -> None:
    with pytest.raises(UsageError, match="--truncate-dim"):
        inspect_texts("a", model="embedded:bert-tiny-uncased", truncate_dim=3, weights="none")


def test_json_and_tables_show_the_steps(bertshape: Callable[..., Run], minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 128))
    command = ("inspect", "a b", "--model", str(folder), "--weights", "none")
    steps = json.loads(bertshape(*command, "--json").stdout)["embedding"]
    assert [(step["step"], step["shape"]) for step in steps] == [
        ("Transformer", [1, 4, 384]),
        ("Pooling", [1, 384]),
        ("Dense", [1, 128]),
    ]
    for columns in (80, 160):
        shown = bertshape(*command, columns=columns).stdout
        assert "Tanh(W h + b)" in shown
        assert "[1, 128]" in shown


def test_weights_of_steps_are_found_beside_a_transformer_in_a_subfolder(minilm: Path, tmp_path: Path) -> None:
    """Old checkpoints keep the transformer in 0_Transformer; the steps' folders stay at the top."""
    folder = save_chain(tmp_path / "model", minilm, Dense(384, 12))
    inner = folder / "0_Transformer"
    inner.mkdir()
    steps = ("1_Pooling", "2_Dense", "modules.json", "config_sentence_transformers.json", "README.md", inner.name)
    for path in list(folder.iterdir()):
        if path.name not in steps:
            shutil.move(str(path), inner / path.name)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["path"] = inner.name
    (folder / "modules.json").write_text(json.dumps(modules))
    assert open_checkpoint(str(folder)).folder == inner
    report = inspect_texts(TEXTS, model=str(folder))
    assert [step.shape.sizes for step in report.embedding if step.shape][-1] == (3, 12)


def test_what_encode_does_to_a_text_is_found(minilm: Path, tmp_path: Path) -> None:
    """A default prompt and lower case change the numbers; with the same text, they are the same."""
    folder = save_chain(tmp_path / "model", minilm)
    edit(folder, "config_sentence_transformers.json", prompts={"query": "query: "}, default_prompt_name="query")
    edit(folder, "sentence_bert_config.json", do_lower_case=True)
    report = inspect_texts(TEXTS, model=str(folder), weights="none")
    found = {finding.code: finding.message for finding in report.findings}
    assert "'query: '" in found["default-prompt"]
    assert "lower-case" in found
    inspect_texts([f"query: {text}" for text in TEXTS], model=str(folder), save=tmp_path / "out.safetensors")
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(load_file(tmp_path / "out.safetensors")["sentence_embedding"], expected)
    plain = save_chain(tmp_path / "plain", minilm)
    codes = {finding.code for finding in inspect_texts(TEXTS, model=str(plain), weights="none").findings}
    assert not codes & {"default-prompt", "lower-case"}
