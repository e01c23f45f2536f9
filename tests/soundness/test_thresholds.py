"""The numbers at which a rule begins to hold, from both sides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bertshape.checkpoint.checkpoint import Checkpoint
from bertshape.checkpoint.tensors import TensorInfo
from bertshape.predict.config import resolve
from bertshape.predict.head_outputs import task_findings
from bertshape.report.report import TaskFacts
from bertshape.soundness.identity import family_of_names
from bertshape.soundness.texts import notes

BERT = "encoder.layer.{}.attention.self.query.weight"
DISTILBERT = "transformer.layer.{}.attention.q_lin.weight"


@pytest.mark.parametrize(("foreign", "found"), [(50, False), (55, False), (56, True), (60, True), (100, True)])
def test_another_family_needs_a_lead_of_a_tenth(foreign: int, found: bool) -> None:
    names = [BERT.format(number) for number in range(100 - foreign)]
    names += [DISTILBERT.format(number) for number in range(foreign)]
    tensors = {name: TensorInfo(name, "float32", (48, 48), "model.safetensors") for name in names}
    checkpoint: Any = SimpleNamespace(
        headers=SimpleNamespace(tensors=tensors), config={"model_type": "bert"}, config_path="config.json"
    )
    finding = family_of_names(checkpoint, resolve({"model_type": "bert"}, "config.json"))
    assert (finding is not None) is found
    if finding is not None:
        assert (finding.expected, finding.actual) == ("distilbert", "bert")


@pytest.mark.parametrize(("written", "known"), [(999_999_999, True), (10**9, False), (1e30, False), (0, False)])
def test_a_length_without_end_is_none(written: float, known: bool) -> None:
    checkpoint: Any = SimpleNamespace(
        tokenizer_config={"model_max_length": written}, recipe=SimpleNamespace(max_seq_length=None)
    )
    assert bool(Checkpoint.declared_lengths(checkpoint)) is known


@pytest.mark.parametrize(("tokens", "exceeded"), [(255, False), (256, False), (257, True)])
def test_a_text_exceeds_a_limit_by_one_token(tokens: int, exceeded: bool) -> None:
    row = SimpleNamespace(tokens=[SimpleNamespace()] * tokens, padding=0, truncated=0, content=tokens, text="x")
    report: Any = SimpleNamespace(
        tokenization=SimpleNamespace(rows=[row], padded=False),
        checkpoint=SimpleNamespace(
            weights="checkpoint", length_limits={"effective": 512, "sentence_bert_config.json max_seq_length": 256}
        ),
        pooled={},
    )
    assert ("length-limit-exceeded" in [finding.code for finding in notes(report)]) is exceeded


@pytest.mark.parametrize(
    ("task", "declared", "foreign"),
    [
        ("text-classification", "BertForSequenceClassification", False),
        ("text-classification", "BertForMultipleChoice", True),
        ("text-classification", "BertForPreTraining", False),
        # A causal head has the tensors of a masked one, and the same meaning: a word at each position.
        ("masked-lm", "BertLMHeadModel", False),
    ],
)
def test_a_head_of_another_class_is_foreign_but_that_of_words(task: str, declared: str, foreign: bool) -> None:
    own = {"masked-lm": "BertForMaskedLM", "text-classification": "BertForSequenceClassification"}[task]
    checkpoint: Any = SimpleNamespace(config={"architectures": [declared]})
    found = task_findings({task: TaskFacts(own, "stored", (), {})}, checkpoint, num_texts=1)
    assert [finding.code for finding in found] == (["head-of-another-task"] if foreign else [])
