"""`check --run -e padding_invariant` and its siblings: what transformers itself gives, alone and in a batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from bertshape import BertshapeError, check_checkpoint
from bertshape.run import runner
from bertshape.run.forward import forward
from tests.support.checkpoints import edited_copy
from tests.support.small_cases import set_fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command

ALL = ["deterministic", "batch_invariant", "padding_invariant"]
TEXT = "This is an example sentence."


def problems(folder: Path, *expect: str) -> dict[str, tuple[str, ...]]:
    report = check_checkpoint(folder, *expect, run=True)
    return {row.name.partition(" ")[0]: row.problems for row in report.outcomes if row.name.startswith(tuple(ALL))}


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_families_behave(family: str, tiny: Callable[[str], Path]) -> None:
    assert problems(tiny(family), *ALL) == dict.fromkeys(ALL, ())


def test_padding_on_the_left_moves_the_positions_of_bert(minilm: Path, tmp_path: Path) -> None:
    folder = edited_copy(minilm, tmp_path / "left")
    set_fields(folder, "tokenizer_config.json", padding_side="left")
    found = problems(folder, *ALL)
    assert (found["deterministic"], found["batch_invariant"]) == ((), ())
    (line,) = found["padding_invariant"]
    model, tokenizer = AutoModel.from_pretrained(str(folder)).eval(), AutoTokenizer.from_pretrained(str(folder))
    with torch.inference_mode():
        one, two = (
            model(**tokenizer(texts, return_tensors="pt", padding=True), output_hidden_states=True).hidden_states[0]
            for texts in ([TEXT], [TEXT, f"{TEXT} {TEXT}"])
        )
    share = float((one[0] - two[0][-one.shape[1] :]).abs().max() / one.abs().max())
    assert f"first embeddings by {share:.2g} of its largest number, at the end sentence_embedding by" in line


def test_the_first_layer_that_departs_is_named(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def noisy(*args: Any, **options: Any) -> Any:
        outputs = forward(*args, **options)
        for layer in outputs.hidden_states[2:]:
            layer += torch.rand(1) * 0.1
        return outputs

    monkeypatch.setattr(runner, "forward", noisy)
    found = problems(tiny("bert"), *ALL)
    for name in ALL:
        assert "first layer 2 by" in found[name][0], name


def test_a_tokenizer_without_padding_says_so(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = edited_copy(tiny("bert"), tmp_path / "m")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    set_fields(folder, "tokenizer_config.json", **{name: None for name in settings if name == "pad_token"})
    assert "no padding token" in problems(folder, "padding_invariant")["padding_invariant"][0]


def test_it_takes_a_run(minilm: Path, bertshape: Command) -> None:
    for name in ("padding_invariant", "device"):
        with pytest.raises(BertshapeError, match=f"{name} is only known by running"):
            check_checkpoint(minilm, name if name != "device" else "device=cpu")
    result = bertshape("check", str(minilm), "--run", "-e", "padding_invariant", "-e", "deterministic=no")
    assert (result.returncode, "expected deterministic" in result.stderr) == (2, True)
