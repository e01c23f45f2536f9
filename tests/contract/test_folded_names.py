"""Names of tensors, folded over layers and unfolded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertshape.checkpoint.weights import read_local
from bertshape.contract.folded_names import fold_names, unfold_name

if TYPE_CHECKING:
    from pathlib import Path


def test_minilm_folds_to_a_page(minilm: Path) -> None:
    headers = read_local(minilm)
    assert headers is not None
    shapes = {name: tensor.shape for name, tensor in headers.tensors.items()}
    folded = fold_names(shapes)
    assert len(shapes) == 6 * 16 + 6 + 2
    assert len(folded) == 16 + 6 + 2
    assert folded["encoder.layer.{0-5}.intermediate.dense.weight"] == (1536, 384)


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["l.0.w", "l.1.w", "l.2.w"], ["l.{0-2}.w"]),
        (["l.2.w", "l.0.w", "l.1.w"], ["l.{0-2}.w"]),
        (["l.0.w", "l.2.w", "l.3.w"], ["l.0.w", "l.{2-3}.w"]),
        (["l.9.w", "l.10.w"], ["l.{9-10}.w"]),
        (["l.00.w", "l.01.w"], ["l.00.w", "l.01.w"]),
        (["0.l.0.w", "0.l.1.w"], ["0.l.{0-1}.w"]),
        (["l.0.e.0", "l.0.e.1", "l.1.e.0", "l.1.e.1"], ["l.{0-1}.e.{0-1}"]),
        (["l.0.w", "l.1.w", "l.{0-1}.w"], ["l.0.w", "l.1.w", "l.{0-1}.w"]),
        (["x.w", "l.0.w", "y.w", "l.1.w"], ["x.w", "l.{0-1}.w", "y.w"]),
    ],
)
def test_folding(names: list[str], folded: list[str]) -> None:
    assert list(fold_names(dict.fromkeys(names, (2, 3)))) == folded


def test_layers_of_another_shape_stay_apart() -> None:
    shapes = {"l.0.w": (1,), "l.1.w": (1,), "l.2.w": (2,), "l.3.w": (1,)}
    assert fold_names(shapes) == {"l.{0-1}.w": (1,), "l.2.w": (2,), "l.3.w": (1,)}


parts = st.sampled_from(["a", "b", "", "0", "1", "2", "3", "10", "01", "é"])
dotted = st.lists(parts, min_size=1, max_size=4).map(".".join)


@given(st.dictionaries(dotted, st.sampled_from([(1,), (2, 3)]), max_size=40))
def test_unfolding_gives_every_name_back(tensors: dict[str, tuple[int, ...]]) -> None:
    folded = fold_names(tensors)
    unfolded = [(name, shape) for folded_name, shape in folded.items() for name in unfold_name(folded_name)]
    assert len(unfolded) == len(tensors)
    assert dict(unfolded) == tensors
    assert len(folded) <= len(tensors)


@pytest.mark.parametrize("name", ["a", "a.{5-2}", "a.{x-y}", "a.{0-999999999}", "a.{0-}", "{01-2}", ""])
def test_what_is_no_range_stands_for_itself(name: str) -> None:
    assert unfold_name(name) == [name]
