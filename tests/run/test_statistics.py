"""`inspect --stats`: the numbers that torch gives for the saved tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from bertshape import inspect_texts
from bertshape.run.forward import look

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command


def test_statistics_are_those_of_the_saved_tensors(minilm: Path, tmp_path: Path) -> None:
    report = inspect_texts(
        ["one", "two texts"], model=minilm, statistics=True, pooling=["mean", "max"], save=tmp_path / "t.safetensors"
    )
    saved = load_file(tmp_path / "t.safetensors")
    last, most = report.outputs["last_hidden_state"].statistics, report.pooled["max"].statistics
    each = report.outputs["hidden_states"].statistics_of_each
    assert (len(each), each[-1]) == (7, last)
    for name, found in (("last_hidden_state", last), ("pooled.max", most)):
        numbers = saved[name].double()
        if name == "last_hidden_state":  # Padding is left out.
            numbers = numbers[saved["attention_mask"].bool()]
        assert found is not None
        assert found.mean == pytest.approx(float(numbers.mean()), abs=1e-9)
        assert found.std == pytest.approx(float(numbers.std(correction=0)), rel=1e-6)
        assert (found.least, found.greatest) == (float(numbers.min()), float(numbers.max()))
        assert (found.zeros, found.not_finite) == (int((numbers == 0).sum()), 0)
    assert report.to_dict()["pooled"]["mean"]["statistics"] is not None


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    tensors = (torch.tensor([0.0, 1.0, float("nan")]), torch.tensor([[3.0, float("-inf")]]))
    everything = torch.ones(1, 1, dtype=torch.bool)
    found = look(tensors, everything).statistics
    assert found is not None
    assert found.mean == pytest.approx(4 / 3)
    assert (found.least, found.greatest) == (0.0, 3.0)
    assert (found.zeros, found.not_finite) == (1, 2)
    nothing = look(torch.tensor([float("inf")]), everything).statistics
    assert nothing is not None
    assert (nothing.mean, nothing.least, nothing.not_finite) == (None, None, 1)


def test_the_screen_has_them_in_one_column_and_only_where_asked(minilm: Path, bertshape: Command) -> None:
    plain = bertshape("inspect", "one", "-m", str(minilm), "-p", "mean")
    shown = bertshape("inspect", "one", "-m", str(minilm), "-p", "mean", "--stats")
    assert "mean, std, [least, greatest]" not in plain.stdout
    assert shown.stdout.count("mean, std, [least, greatest]") == 2
    assert bertshape("inspect", "one", "--weights", "none", "--stats").returncode == 2
