"""`--save`: the tensors of a run in a file that other tools read, whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy
import pytest
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file

from bertshape import inspect_texts
from bertshape.errors import UsageError
from bertshape.pipelines.inspect import inspect
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.request import InspectionRequest, SaveOptions, Texts, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

TEXTS = ("one", "Two words.")
TINY = ("--model", "embedded:bert-tiny-uncased")


def test_tensors_are_those_of_transformers(minilm: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.safetensors"
    request = InspectionRequest(
        Texts(TEXTS), ModelSource(str(minilm)), wanted=Wanted(attentions=True), save=SaveOptions(path, (), True)
    )
    report = inspect(request)
    saved = load_file(path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm)
    model = transformers.AutoModel.from_pretrained(minilm, attn_implementation="eager").eval()
    inputs = tokenizer(list(TEXTS), padding=True, return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**inputs, output_hidden_states=True, output_attentions=True)
    assert all(torch.equal(saved[name], tensor) for name, tensor in inputs.items())
    torch.testing.assert_close(saved["last_hidden_state"], outputs.last_hidden_state)
    torch.testing.assert_close(saved["pooler_output"], outputs.pooler_output)
    for name in ("hidden_states", "attentions"):
        for index, tensor in enumerate(outputs[name]):
            torch.testing.assert_close(saved[f"{name}.{index}"], tensor)
    for name, pooled in report.pooled.items():
        if pooled.shape is not None:
            assert tuple(saved[f"pooled.{name}"].shape) == pooled.shape.sizes
    with safe_open(path, "pt") as file:
        assert file.metadata() == {
            "checkpoint": str(minilm),
            "weights": "checkpoint",
            "dtype": "float32",
            "bertshape": "0.1.0",
        }


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_both_formats_hold_the_same(dtype: str, tmp_path: Path) -> None:
    for ending in ("safetensors", "npz"):
        options = {"model": TINY[1], "dtype": dtype, "pooling": ["mean", "cls"], "save": tmp_path / f"out.{ending}"}
        inspect_texts(TEXTS, **options)  # type: ignore[arg-type]
    tensors = load_file(tmp_path / "out.safetensors")
    with numpy.load(tmp_path / "out.npz") as arrays:
        assert set(arrays) == {*tensors, "bertshape"}
        assert json.loads(str(arrays["bertshape"]))["weights"] == "random"
        for name, tensor in tensors.items():
            # NumPy has no bfloat16.
            wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
            numpy.testing.assert_array_equal(arrays[name], wide.numpy())
            assert arrays[name].dtype == wide.numpy().dtype


def test_names_choose_what_is_saved(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "out.safetensors"
    command = ("inspect", "a", *TINY, "--pooling", "mean", "--pooling", "cls", "--save", str(path), "--quiet")
    assert bertshape(*command, "--save-only", "pooled.*", "--save-only", "input_ids").returncode == 0
    assert set(load_file(path)) == {"pooled.mean", "pooled.cls", "input_ids"}
    before = path.read_bytes()
    done = bertshape(*command, "--save-only", "nosuch*")
    assert done.returncode == 2
    assert "nosuch*" in done.stderr
    assert "pooled.mean" in done.stderr
    assert path.read_bytes() == before


def test_hidden_states_are_saved_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "out.safetensors"
    inspect_texts("a", model=TINY[1], save=path)
    assert not [name for name in load_file(path) if name.startswith("hidden_states")]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("out.pt", {}, "its ending names no format"),
        ("nosuch/out.npz", {}, "folder that does not exist"),
        ("out.npz", {"weights": "none"}, "--save needs a run"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_the_run(
    name: str, options: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        inspect_texts("a", model=TINY[1], save=tmp_path / name, **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_streams_save_nothing(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """Each batch would overwrite the one before it."""
    (tmp_path / "texts.txt").write_text("a\nb\n")
    arguments = ("-i", str(tmp_path / "texts.txt"), "--format", "jsonl", "--save", str(tmp_path / "out.npz"))
    done = bertshape("inspect", *TINY, *arguments)
    assert done.returncode == 2
    assert "--save" in done.stderr
