"""The tree of layers: predicted from tensor names, observed by hooks, folded, drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import transformers

from bertshape import inspect_texts
from bertshape.predict.layers import fold
from bertshape.report.layer import Layer
from tests.support.checkpoints import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run

TEXTS = ["one", "Two words."]


def walk(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    yield path, layer
    for child in layer.children:
        yield from walk(child, f"{path}.{child.name}" if path else child.name)


@pytest.mark.parametrize("family", FAMILIES)
def test_prediction_is_what_hooks_see(family: str, tiny: Callable[[str], Path]) -> None:
    """Every predicted part is there, with its shape, heads, copies and parameters; the run only adds to it."""
    model = str(tiny(family))
    predicted = inspect_texts(TEXTS, model=model, weights="none", layers=True).layers
    observed = inspect_texts(TEXTS, model=model, layers=True).layers
    assert predicted is not None
    assert observed is not None
    seen = dict(walk(observed))
    for path, layer in walk(predicted):
        assert seen[path].parameters == layer.parameters, path
        assert seen[path].copies == layer.copies, path
        if layer.shape is not None and seen[path].shape is not None:
            assert (seen[path].shape, seen[path].heads) == (layer.shape, layer.heads), path
    assert len([layer for _, layer in walk(predicted) if layer.shape is not None]) > 5


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_are_those_of_the_model(family: str, tiny: Callable[[str], Path]) -> None:
    layers = inspect_texts("a", model=str(tiny(family)), layers=True).layers
    assert layers is not None
    model = transformers.AutoModel.from_pretrained(tiny(family))
    assert layers.parameters == sum(parameter.numel() for parameter in model.parameters())
    modules = dict(model.named_modules())
    for path, layer in walk(layers):
        if "{" not in path:
            assert layer.parameters == sum(parameter.numel() for parameter in modules[path].parameters())
            assert layer.kind == type(modules[path]).__name__


def test_attention_is_split_among_the_heads(minilm: Path) -> None:
    layers = inspect_texts("a b", model=str(minilm), layers=True).layers
    assert layers is not None
    found = dict(walk(layers))
    layer = found["encoder.layer.{0-5}"]
    assert (layer.copies, layer.kind, layer.shape.sizes if layer.shape else None) == (6, "BertLayer", (1, 4, 384))
    query = found["encoder.layer.{0-5}.attention.self.query"]
    assert (query.heads, query.parameters) == ((12, 32), 384 * 384 + 384)
    inside = found["encoder.layer.{0-5}.intermediate.dense"].shape
    assert inside is not None
    assert inside.axes == ("batch_size", "sequence_length", "intermediate_size")


def test_shared_layers_are_called_again_and_again(tiny: Callable[[str], Path]) -> None:
    """ALBERT has the parameters of one layer, and uses it in each."""
    layers = inspect_texts("a b", model=str(tiny("albert")), layers=True).layers
    assert layers is not None
    assert max(layer.calls for _, layer in walk(layers)) == 5


def leaf(name: str, parameters: int = 1) -> Layer:
    return Layer(name, None, 1, 1, None, None, parameters, ())


def test_only_equal_neighbours_are_folded() -> None:
    """ModernBERT's first layer lacks a norm: it stays alone."""
    folded = fold([leaf("0", 5), leaf("1"), leaf("2"), leaf("3"), leaf("dense"), leaf("norm")])
    assert [(layer.name, layer.copies) for layer in folded] == [("0", 1), ("{1-3}", 3), ("dense", 1), ("norm", 1)]
    assert [layer.name for layer in fold([leaf("a"), leaf("b")])] == ["a", "b"]


def test_layers_change_nothing_else(minilm: Path) -> None:
    plain = inspect_texts(TEXTS, model=str(minilm))
    watched = inspect_texts(TEXTS, model=str(minilm), layers=True)
    assert (plain.outputs, plain.pooled, plain.findings) == (watched.outputs, watched.pooled, watched.findings)
    assert "layers" not in plain.to_dict()


def test_the_tree_is_drawn_and_written(bertshape: Callable[..., Run]) -> None:
    command = ("inspect", "a b", "--model", "embedded:bert-tiny-uncased", "--layers", "--pooling", "mean")
    for columns in (80, 160):
        shown = bertshape(*command, columns=columns).stdout
        assert "{0-1} (2 times)" in shown
        assert "2 heads of 64" in shown
        assert ("BertLayer" in shown) is (columns == 160)
        assert max(map(len, shown.splitlines())) <= columns
    ascii_only = bertshape(*command, "--weights", "none", PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout
    assert "|- embeddings" in ascii_only
    tree = json.loads(bertshape(*command, "--json").stdout)["layers"]
    assert (tree["class_name"], tree["parameters"], tree["evidence"]) == ("BertModel", 4385920, "observed")
    assert [child["name"] for child in tree["children"]] == ["embeddings", "encoder", "pooler"]
