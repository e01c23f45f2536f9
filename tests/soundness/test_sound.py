"""Sound checkpoints raise no alarm, and what was not checked is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bertshape import inspect_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.checkpoint.locate import embedded_names
from bertshape.predict.family import family_names, load_family
from bertshape.predict.heads import head_classes
from bertshape.soundness.values import check_values
from tests.soundness.editing import (
    Tiny,
    added,
    alarms,
    findings,
    old_names,
    renamed,
    tensors,
)
from tests.support.checkpoints import FAMILIES, edited_copy
from tests.tools.make_family import tiny_config

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["minilm", *FAMILIES, "sentence", "sharded"])
def test_sound_checkpoints_raise_no_alarm(sound: Tiny, name: str) -> None:
    assert alarms(sound(name)) == []


@pytest.mark.parametrize("name", embedded_names())
def test_embedded_checkpoints_raise_no_alarm(name: str) -> None:
    assert [finding.code for finding in findings(f"embedded:{name}")] == ["weights-not-checked"]


# Funnel's classifiers of whole texts have no decoder. The base model, which is run, has one: it would be random.
_WITHOUT_DECODER = ("FunnelForMultipleChoice", "FunnelForSequenceClassification")


def _class_names(family: str) -> list[str]:
    """Every class that transformers' auto classes know of a family."""
    from transformers.models.auto import modeling_auto

    tables = [table for name, table in vars(modeling_auto).items() if re.fullmatch("MODEL_.*MAPPING_NAMES", name)]
    return sorted({table[family] for table in tables if isinstance(table.get(family), str)})


@pytest.mark.parametrize("family", family_names())
def test_task_heads_of_every_family_raise_no_alarm(tmp_path: Path, family: str) -> None:
    """As transformers saves them, with the prefix and with the pooler where the class has one."""
    import transformers

    row = load_family(family)
    assert row is not None
    names = _class_names(family) if row.group == "encoder" else [row.model_class, *head_classes(family)]
    headless = family == "dpr" or row.group in ("t5-encoder", "text-part")
    assert len(names) >= (1 if headless else 2), "the base model and at least one head"
    for name in names:
        model = getattr(transformers, name)(tiny_config(family))
        if row.group == "decoder" and f"{model.base_model_prefix}." not in row.prefixes:
            continue  # Of the decoders' classes for questions AutoModel would load nothing, and an error says so.
        model.save_pretrained(tmp_path / name)
        pooler_is_stored = any((row.pooler or "pooler.") in tensor for tensor in model.state_dict())
        notes = {finding.code for finding in findings(tmp_path / name)} - {"attention-causal", "encoder-alone"}
        if name in _WITHOUT_DECODER:
            assert notes == {"tensors-missing"}
            continue
        assert alarms(tmp_path / name) == []
        assert notes == ({"pooler-random"} if row.pooler and not pooler_is_stored else set())


def test_old_names_and_leftovers_raise_no_alarm(sound: Tiny, tmp_path: Path) -> None:
    """As the first BERT releases are stored: gamma, beta, prefix, pre-training heads, a buffer."""
    folder = edited_copy(sound("bert"), tmp_path / "old", architectures=["BertForPreTraining"])
    renamed(old_names)(folder)
    added("bert.embeddings.position_ids", 1, 64)(folder)
    added("cls.predictions.transform.LayerNorm.gamma", 48)(folder)
    added("cls.predictions.transform.LayerNorm.beta", 48)(folder)
    added("cls.predictions.transform.dense.weight", 48, 48)(folder)
    added("cls.predictions.transform.dense.bias", 48)(folder)
    added("cls.predictions.bias", 174)(folder)
    added("cls.seq_relationship.weight", 2, 48)(folder)
    added("cls.seq_relationship.bias", 2)(folder)
    assert findings(folder) == []


def test_half_precision_and_a_larger_embedding_raise_no_alarm(sound: Tiny, tmp_path: Path) -> None:
    """Rows are often rounded up, so a tokenizer smaller than the embedding is no fault."""
    folder = edited_copy(sound("bert"), tmp_path / "half", vocab_size=192)
    tensors(lambda state: {name: tensor.half() for name, tensor in state.items()})(folder)
    added("embeddings.word_embeddings.weight", 192, 48)(folder)
    assert alarms(folder) == []
    # config.json says float32 all the same.
    assert [finding.code for finding in findings(folder)] == ["dtype-differs"]


def test_a_class_of_ones_own_is_no_mismatch(sound: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(sound("bert"), tmp_path / "own", architectures=["BertForSomethingNew", "MyRobertaHead"])
    assert alarms(folder) == []


def test_what_was_not_checked_is_said(sound: Tiny, tmp_path: Path) -> None:
    unknown = edited_copy(sound("minilm"), tmp_path / "unknown", model_type="layoutlm")
    assert [finding.code for finding in findings(unknown)] == ["family-unknown", "length-limits-disagree"]
    pickle = edited_copy(sound("bert"), tmp_path / "pickle")
    (pickle / "model.safetensors").unlink()
    (pickle / "pytorch_model.bin").write_bytes(b"\x80\x02.")  # A program that ends before it has made anything.
    (finding,) = findings(pickle)
    assert (finding.code, "pytorch_model.bin is a pickle" in finding.message) == ("weights-not-checked", True)
    assert [finding.code for finding in check_values(open_checkpoint(str(pickle)))] == ["values-not-checked"]


def test_length_limits_that_disagree_are_noted(minilm: Path) -> None:
    (finding,) = findings(minilm)
    assert (finding.code, finding.severity) == ("length-limits-disagree", "note")
    for piece in ("model_max_length = 512", "max_seq_length = 256", "truncation.max_length = 128"):
        assert piece in str(finding.actual)
    assert finding.message == "at most 512 tokens; encode() cuts at 256, tokenizer.json at 128"


def test_json_carries_where_expected_and_actual(sound: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(sound("bert"), tmp_path / "json", num_hidden_layers=7)
    document: Any = inspect_texts("a", model=str(folder), weights="none").to_dict()
    (row,) = [row for row in document["findings"] if row["severity"] == "error"]
    assert (row["where"], row["expected"], row["actual"]) == ("config.json num_hidden_layers", 5, 7)


def test_inspect_names_the_other_family_too(sound: Tiny, tmp_path: Path) -> None:
    """Instead of a hundred tensors that are missing and a hundred that should not be there."""
    folder = edited_copy(sound("bert"), tmp_path / "other", model_type="distilbert")
    report = inspect_texts("a", model=str(folder), weights="none")
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["model-type-mismatch"]


def test_a_tokenizer_without_token_type_ids_is_told_where_the_model_knows_segments(sound: Tiny) -> None:
    """Tiny checkpoints have a tokenizer of no class: it makes no token_type_ids."""
    report = inspect_texts("a", model=str(sound("bert")), weights="none")
    codes = [finding.code for finding in report.findings]
    assert "token-type-ids-not-made" in codes
    report = inspect_texts("a", model=str(sound("distilbert")), weights="none")
    assert "token-type-ids-not-made" not in [finding.code for finding in report.findings]
