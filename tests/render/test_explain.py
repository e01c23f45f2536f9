"""`--explain`: under each table what a newcomer needs, about this checkpoint, with its source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bertshape as package

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

EMBEDDED = Path(package.__file__).parent / "checkpoint" / "embedded" / "bert-base-uncased"


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_table_is_explained(bertshape: Callable[..., Run], minilm: Path) -> None:
    command = (
        "inspect",
        "one",
        "two texts",
        "--model",
        str(minilm),
        "--weights",
        "none",
        "--layers",
        "--task",
        "masked-lm",
    )
    shown = words(bertshape(*command, "--explain").stdout)
    for phrase in (
        "Text 1: 1 token comes from the text; the tokenizer adds 2 ([CLS], [SEP])",
        "attention_mask 0 keeps it out of attention",
        "one vector of hidden_size 384 numbers",
        "so hidden_states[6] is the last layer",
        "The checkpoint declares mean",
        "encode() of sentence-transformers gives the vector after the last step, of 384 numbers",
        "from 384 numbers to one for each label",
        "split into 12 heads of 32 numbers",
    ):
        assert phrase in shown, phrase
    assert "arXiv" not in bertshape(*command).stdout


def test_numbers_are_those_of_the_checkpoint(bertshape: Callable[..., Run]) -> None:
    command = (
        "inspect",
        "one",
        "--model",
        "embedded:bert-tiny-uncased",
        "--weights",
        "none",
        "--pooling",
        "mean",
        "--explain",
    )
    shown = words(bertshape(*command).stdout)
    assert "hidden_size 128 numbers" in shown
    assert "hidden_states[2] is the last layer" in shown
    assert "declares" not in shown
    assert "Padding gives" not in shown


@pytest.mark.parametrize("family", ["distilbert", "roberta"])
def test_special_tokens_are_those_of_the_tokenizer(
    family: str, bertshape: Callable[..., Run], tiny: Callable[[str], Path]
) -> None:
    shown = words(bertshape("inspect", "one", "--model", str(tiny(family)), "--weights", "none", "--explain").stdout)
    assert ("(<s>, </s>)" if family == "roberta" else "([CLS], [SEP])") in shown


def test_heads_are_those_of_the_tree(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """MobileBERT splits the 128 numbers of its bottleneck among 4 heads, not the 512 of hidden_size."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((EMBEDDED / name).read_bytes())
    (tmp_path / "config.json").write_text('{"model_type": "mobilebert"}')
    command = ("inspect", "a", "--weights", "none", "--layers", "--explain")
    assert "12 heads of 64 numbers" in words(bertshape(*command).stdout)
    shown = words(bertshape(*command, "--model", str(tmp_path)).stdout)
    assert "so that layers stack" in shown
    assert "4 heads of 128" not in shown
