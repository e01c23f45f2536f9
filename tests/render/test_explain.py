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
        "1 tokens come from the text, 2 are added by the tokenizer ([CLS], [SEP])",
        "attention_mask 0 keeps it out of attention",
        "nn.Linear(384, n). [huggingface.co",
        "hidden_states holds 6 + 1 tensors",
        "The checkpoint declares mean",
        "begins with nn.Linear(384, n) or nn.Linear(768, n) or nn.Linear(1536, n)",
        "encode() of sentence-transformers gives the vector after the last step, of 384 numbers",
        "num_labels comes from id2label",
        "split into 12 heads of 32 numbers",
    ):
        assert phrase in shown, phrase
    assert "nn.Linear" not in bertshape(*command).stdout


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
    assert "nn.Linear(128, n)" in shown
    assert "hidden_states[2] is the last layer" in shown
    assert "declares" not in shown
    assert "Padding brings" not in shown


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
    assert "12 heads of 64 numbers each" in words(bertshape(*command).stdout)
    shown = words(bertshape(*command, "--model", str(tmp_path)).stdout)
    assert "so that layers can be stacked" in shown
    assert "4 heads of 128" not in shown
