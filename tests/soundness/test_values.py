"""Values that are not finite are found, in every dtype, piece and shard."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.soundness.values import check_values
from tests.soundness.editing import (
    Tiny,
    tensors,
)
from tests.support.checkpoints import edited_copy
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.float8_e5m2])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_found(sound: Tiny, tmp_path: Path, dtype: torch.dtype, value: float) -> None:
    """In each dtype; the largest finite number and an integer tensor full of bits are no alarm."""
    largest = torch.full((7,), torch.finfo(dtype).max, dtype=torch.float64)
    state = {"whole": largest.clone().to(dtype), "bits": torch.full((5,), -1), "empty": torch.zeros(0, dtype=dtype)}
    folder = edited_copy(sound("bert"), tmp_path / "values")
    tensors(lambda _: state)(folder)
    assert check_values(open_checkpoint(str(folder))) == []
    largest[4] = value
    tensors(lambda _: state | {"broken": largest.clone().to(dtype)})(folder)
    (finding,) = check_values(open_checkpoint(str(folder)))
    assert (finding.code, finding.severity) == ("non-finite-values", "error")
    assert finding.where == "model.safetensors broken"
    assert "broken (1 of 7 values)" in finding.message


def test_values_are_found_beyond_the_first_piece_and_in_every_shard(sound: Tiny, tmp_path: Path) -> None:
    long = torch.zeros(2_500_000, dtype=torch.bfloat16)
    long[[0, 1_100_000, -1]] = float("nan")
    folder = edited_copy(sound("bert"), tmp_path / "long")
    tensors(lambda state: state | {"long": long})(folder)
    (finding,) = check_values(open_checkpoint(str(folder)))
    assert "long (3 of 2,500,000 values)" in finding.message
    assert check_values(open_checkpoint(str(sound("minilm")))) == []
    shards = edited_copy(sound("sharded"), tmp_path / "shards")
    last = max(path.name for path in shards.glob("*.safetensors"))
    tensors(lambda state: {name: tensor * float("inf") for name, tensor in state.items()}, last)(shards)
    (finding,) = check_values(open_checkpoint(str(shards)))
    assert finding.message.startswith(last)


def test_rules_import_nothing_heavy(minilm: Path) -> None:
    """Only values need numpy, and nothing torch; the second line shows that this test can fail."""
    code = f"""
import sys
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.predict.config import resolve
from bertshape.soundness.soundness import check_soundness
from bertshape.soundness.values import check_values
from bertshape.tokens.tokenizer import load_tokenizer
checkpoint = open_checkpoint({str(minilm)!r})
check_soundness(checkpoint, resolve(checkpoint.config, ""), load_tokenizer(checkpoint))
print([name for name in ("torch", "transformers", "numpy") if name in sys.modules])
check_values(checkpoint)
print([name for name in ("torch", "transformers", "numpy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=SECONDS)
    assert done.stdout.splitlines() == ["[]", "['numpy']"]
