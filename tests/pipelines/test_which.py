"""`which`: vectors made in a known way are traced back to it, others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy
import pytest

from bertshape import BertshapeError, embed_texts, which_recipe
from tests.support.checkpoints import build_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ["A short text.", "This is a longer sentence about pooling and padding.", "Numbers: 0 1 2 3.", "hi", "so it is"]
STRATEGIES = [
    "cls",
    "max",
    "mean@-2",
    "weightedmean",
    "mean_unmasked",
    "mean_no_special",
    "mean@0",
    "last4_sum",
    "pooler",
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_checkpoint("bert", tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def arrays(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("vectors") / "v.npz"
    embed_texts(TEXTS, path, model=tiny, pooling=STRATEGIES)
    return numpy.load(path)


def saved(path: Path, vectors: Any) -> Path:
    numpy.save(path / "v.npy", vectors)
    return path / "v.npy"


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_is_found_again(tiny: Path, arrays: Any, tmp_path: Path, name: str) -> None:
    report = which_recipe(saved(tmp_path, arrays[f"pooled.{name}"]), TEXTS, model=tiny)
    assert report.recipe is not None
    assert (report.recipe.pooling, report.recipe.normalize, report.ok) == (name, False, True)


def test_normalised_vectors_and_what_is_declared(tiny: Path, arrays: Any, tmp_path: Path) -> None:
    cls = arrays["pooled.cls"]
    path = saved(tmp_path, cls / numpy.linalg.norm(cls, axis=1, keepdims=True))
    report = which_recipe(path, TEXTS, model=tiny, declared=True)
    assert report.recipe is not None
    assert (report.recipe.pooling, report.recipe.normalize) == ("cls", True)
    assert (report.found, report.declared, report.ok) == (True, False, False)
    namespace: dict[str, Any] = {"texts": TEXTS}
    exec(report.python.replace("vectors.npz", str(tmp_path / "again.npz")), namespace)
    assert numpy.allclose(namespace["vectors"], numpy.load(path), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda vectors: vectors + numpy.linspace(-1, 1, vectors.shape[1], dtype=numpy.float32), "constant offset"),
        (lambda vectors: vectors * 3, "other norm"),
        (lambda vectors: vectors[::-1].copy(), "another order"),
        (lambda vectors: numpy.random.default_rng(0).normal(size=vectors.shape), "another model"),
    ],
    ids=["offset", "norm", "shuffled", "foreign"],
)
def test_what_the_nearest_lacks_is_named(tiny: Path, arrays: Any, tmp_path: Path, change: Any, word: str) -> None:
    report = which_recipe(saved(tmp_path, change(arrays["pooled.mean@-2"])), TEXTS, model=tiny)
    assert not report.ok
    assert word in " ".join(report.lacks)


def test_rounding_is_part_of_the_recipe(tiny: Path, arrays: Any, tmp_path: Path) -> None:
    report = which_recipe(saved(tmp_path, arrays["pooled.max"].astype(numpy.float16)), TEXTS, model=tiny)
    assert report.recipe is not None
    assert (report.recipe.pooling, report.recipe.dtype) == ("max", "float16")


@pytest.mark.parametrize(
    ("vectors", "texts", "code"),
    [
        (numpy.ones((4, 48)), TEXTS, "texts-vectors-mismatch"),
        (numpy.full((5, 48), numpy.nan), TEXTS, "vectors-unreadable"),
        (numpy.ones((5, 4800)), TEXTS, "dimension-mismatch"),
        (numpy.ones((2, 48)), ["a", "a"], "too-few-texts"),
        (numpy.zeros(5), TEXTS, "vectors-unreadable"),
    ],
)
def test_bad_input_is_refused(tiny: Path, tmp_path: Path, vectors: Any, texts: list[str], code: str) -> None:
    with pytest.raises(BertshapeError) as caught:
        which_recipe(saved(tmp_path, vectors), texts, model=tiny)
    assert caught.value.code == code
