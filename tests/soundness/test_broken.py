"""Every rule of soundness has a checkpoint that breaks it and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.soundness.editing import (
    Edit,
    Tiny,
    added,
    alarms,
    old_names,
    renamed,
    settings,
    tensors,
    tokenizer,
    without,
)
from tests.support.checkpoints import FAMILIES, edited_copy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _more_tokens(backend: Any) -> None:
    backend.add_tokens([f"more{number}" for number in range(3)])


def _blank_tokenizer(_: Any) -> Any:
    from tokenizers import Tokenizer, models

    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    return Tokenizer(models.WordPiece({token: number for number, token in enumerate(special)}, unk_token="[UNK]"))


def _truncating(backend: Any) -> None:
    backend.enable_truncation(600)


def _cut_short(folder: Path) -> None:
    path = folder / "3_Dense" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])


@dataclass(frozen=True)
class Broken:
    """A sound checkpoint with one fault: what is edited, and the one finding that it must give.

    `says` are pieces of the message besides `expected` and `actual`.
    """

    base: str
    code: str
    where: str
    expected: str
    actual: str
    says: tuple[str, ...] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    edit: Edit | None = None
    severity: str = "error"


_LAYERS = ("layers-mismatch", "config.json num_hidden_layers")
_MODEL_TYPE = ("model-type-mismatch", "config.json model_type")
_DIMENSION = "embedding-dimension-mismatch"
_QUERY = "encoder.layer.3.attention.self.query.weight"
_DENSE = "3_Dense/config.json"

BROKEN = {
    "more layers than stored": Broken("minilm", *_LAYERS, "6", "8", ("random",), {"num_hidden_layers": 8}),
    "fewer layers than stored": Broken("minilm", *_LAYERS, "6", "4", ("dropped",), {"num_hidden_layers": 4}),
    "absurdly many layers": Broken("bert", *_LAYERS, "5", "999", (), {"num_hidden_layers": 999}),
    "layers by another name": Broken(
        "distilbert", "layers-mismatch", "config.json n_layers", "5", "9", (), {"n_layers": 9}
    ),
    "a tensor is missing": Broken(
        "bert",
        "tensors-missing",
        _QUERY,
        "87",
        "86",
        ("1 backbone tensor", "random"),
        edit=without(_QUERY),
    ),
    "half a pooler": Broken(
        "bert",
        "tensors-missing",
        "pooler.dense.bias",
        "87",
        "86",
        edit=without("pooler.dense.bias"),
    ),
    "a tensor too many": Broken(
        "bert",
        "tensors-unexpected",
        "encoder.layer.3.adapter.weight",
        "87",
        "88",
        edit=added("encoder.layer.3.adapter.weight", 3),
    ),
    "one odd tensor": Broken("bert", "tensor-mismatch", _QUERY, "[48, 48]", "[48, 40]", edit=added(_QUERY, 48, 40)),
    "one odd tensor, larger": Broken(
        "bert", "tensor-mismatch", _QUERY, "[48, 48]", "[48, 60]", edit=added(_QUERY, 48, 60)
    ),
    "no pooler": Broken(
        "bert",
        "pooler-random",
        "pooler",
        "stored pooler tensors",
        "none",
        ("pooler_output", "random"),
        edit=without("pooler"),
        severity="warning",
    ),
    "heads that do not divide": Broken(
        "minilm",
        "heads-do-not-divide",
        "config.json num_attention_heads",
        "a divisor of 384",
        "7",
        config={"num_attention_heads": 7},
    ),
    "heads that the weights do tell": Broken(
        "mpnet",
        "dimension-mismatch",
        "config.json num_attention_heads",
        "4",
        "8",
        config={"num_attention_heads": 8},
    ),
    "heads of an unknown family": Broken(
        "minilm",
        "heads-do-not-divide",
        "config.json num_attention_heads",
        "a divisor of 384",
        "7",
        config={"model_type": "layoutlm", "num_attention_heads": 7},
    ),
    "ids beyond the embedding": Broken(
        "bert",
        "token-ids-out-of-range",
        "tokenizer.json",
        "ids below 174",
        "176",
        ("'more2'", "vocab_size"),
        edit=tokenizer(_more_tokens),
    ),
    "a blank tokenizer": Broken(
        "minilm",
        "tokenizer-blank",
        "tokenizer.json",
        "about 30522 tokens",
        "5",
        ("vocab_size",),
        edit=tokenizer(_blank_tokenizer),
    ),
    "a class token without an entry": Broken(
        "bert",
        "special-token-missing",
        "tokenizer_config.json cls_token",
        "an entry in tokenizer.json",
        "'<cls>'",
        edit=settings("tokenizer_config.json", cls_token="<cls>"),
    ),
    "a mask token without an entry": Broken(
        "bert",
        "special-token-missing",
        "tokenizer_config.json mask_token",
        "an entry in tokenizer.json",
        "'<mask>'",
        edit=settings("tokenizer_config.json", mask_token={"__type": "AddedToken", "content": "<mask>"}),
        severity="warning",
    ),
    "another padding id": Broken(
        "bert",
        "pad-id-disagrees",
        "config.json pad_token_id",
        "0",
        "3",
        ("[PAD]",),
        {"pad_token_id": 3},
        severity="warning",
    ),
    "another padding id where positions count from it": Broken(
        "roberta", "pad-id-disagrees", "config.json pad_token_id", "1", "0", ("positions",), {"pad_token_id": 0}
    ),
    "RoBERTa's positions taken for its length": Broken(
        "roberta",
        "length-exceeds-positions",
        "tokenizer_config.json model_max_length",
        "at most 62",
        "64",
        ("max_position_embeddings = 64", "64 - 1 - 1"),
        edit=settings("tokenizer_config.json", model_max_length=64),
        severity="warning",
    ),
    "a sentence length beyond the positions": Broken(
        "minilm",
        "length-exceeds-positions",
        "sentence_bert_config.json max_seq_length",
        "at most 512",
        "1024",
        edit=settings("sentence_bert_config.json", max_seq_length=1024),
        severity="warning",
    ),
    "a tokenizer that cuts too late": Broken(
        "minilm",
        "length-exceeds-positions",
        "tokenizer.json truncation.max_length",
        "at most 512",
        "600",
        edit=tokenizer(_truncating),
        severity="warning",
    ),
    "a class of another family": Broken(
        "roberta", *_MODEL_TYPE, "bert", "roberta", ("BertModel",), {"architectures": ["BertModel"]}
    ),
    "a head of another family": Broken(
        "distilbert", *_MODEL_TYPE, "bert", "distilbert", ("BertForMaskedLM",), {"architectures": ["BertForMaskedLM"]}
    ),
    "a class of a family that differs in name alone": Broken(
        "xlm-roberta",
        *_MODEL_TYPE,
        "roberta",
        "xlm-roberta",
        ("RobertaModel",),
        {"architectures": ["RobertaModel"]},
        severity="warning",
    ),
    "weights of a family with other names": Broken(
        "bert", *_MODEL_TYPE, "bert", "distilbert", ("87",), {"model_type": "distilbert"}
    ),
    "a prefix of another family": Broken(
        "bert",
        *_MODEL_TYPE,
        "bert",
        "roberta",
        ("87",),
        {"model_type": "roberta", "architectures": None},
        renamed(old_names),
    ),
    "BERT called RoBERTa": Broken(
        "minilm",
        *_MODEL_TYPE,
        "bert",
        "roberta",
        ("[PAD] of id 0", "pads with id 1"),
        {"model_type": "roberta", "architectures": ["RobertaModel"], "pad_token_id": 1},
    ),
    "pooling of another size": Broken(
        "minilm",
        _DIMENSION,
        "1_Pooling/config.json embedding_dimension",
        "384",
        "768",
        ("config.json hidden_size",),
        edit=settings("1_Pooling/config.json", word_embedding_dimension=768),
    ),
    "a dense step that does not fit": Broken(
        "sentence",
        _DIMENSION,
        f"{_DENSE} in_features",
        "96",
        "48",
        ("1_Pooling/config.json",),
        edit=settings("1_Pooling/config.json", pooling_mode=["cls", "mean"]),
    ),
    "a dense step with other weights": Broken(
        "sentence",
        _DIMENSION,
        "3_Dense/model.safetensors linear.weight",
        "[12, 48]",
        "[12, 40]",
        (_DENSE,),
        edit=added("linear.weight", 12, 40, file="3_Dense/model.safetensors"),
    ),
    "a dense step without weights": Broken(
        "sentence",
        _DIMENSION,
        "3_Dense/model.safetensors linear.weight",
        "[12, 48]",
        "nothing",
        edit=tensors(lambda state: {"linear.bias": state["linear.bias"]}, "3_Dense/model.safetensors"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_checkpoint_gives_its_finding_and_no_other(sound: Tiny, tmp_path: Path, name: str) -> None:
    broken = BROKEN[name]
    folder = edited_copy(sound(broken.base), tmp_path / "broken", **broken.config)
    if broken.edit is not None:
        broken.edit(folder)
    (finding,) = alarms(folder)
    assert (finding.code, finding.severity) == (broken.code, broken.severity)
    assert (finding.where, str(finding.expected), str(finding.actual)) == (broken.where, broken.expected, broken.actual)
    assert "\n" not in finding.message
    assert finding.hint
    # The message alone must tell what the fields tell: the value, not the words around it.
    if finding.code not in ("tensors-missing", "tensors-unexpected", "pooler-random", "tokenizer-blank"):
        for piece in (broken.expected.removeprefix("an entry in ").removeprefix("ids "), broken.actual):
            assert piece in finding.message
    for piece in (broken.where.split()[-1].removesuffix("max_length"), *broken.says):
        assert piece in finding.message


# Every dimension of every family: config.json's field, a wrong value, and what the weights hold.
_VALUES = {
    "hidden_size": (96, 48),
    "intermediate_size": (64, 56),
    "vocab_size": (500, None),
    "max_position_embeddings": (128, 64),
    "type_vocab_size": (3, 2),
    "embedding_size": (24, 20),
}
_OWN_NAMES = {"distilbert": {"hidden_size": "dim", "intermediate_size": "hidden_dim"}}
_LACKS = {
    "type_vocab_size": ("distilbert", "mpnet", "modernbert", "deberta-v2"),
    "max_position_embeddings": ("modernbert",),
    "embedding_size": tuple(name for name in FAMILIES if name not in ("electra", "albert")),
}
DIMENSIONS = [
    (family, dimension) for dimension in _VALUES for family in FAMILIES if family not in _LACKS.get(dimension, ())
]


@pytest.mark.parametrize(("family", "dimension"), DIMENSIONS)
def test_a_wrong_dimension_is_named_once(sound: Tiny, tmp_path: Path, family: str, dimension: str) -> None:
    """However many tensors it is in, and behind whatever product (ModernBERT stores 3*hidden_size)."""
    key = _OWN_NAMES.get(family, {}).get(dimension, dimension)
    wrong, held = _VALUES[dimension]
    held = held or json.loads((sound(family) / "config.json").read_text())[key]
    folder = edited_copy(sound(family), tmp_path / "broken", **{key: wrong})
    (finding,) = alarms(folder)
    assert (finding.code, finding.where) == ("dimension-mismatch", f"config.json {key}")
    assert (finding.expected, finding.actual) == (held, wrong)
    assert finding.message.startswith(f"{key}: ")
    assert f"says {wrong}, the weights hold {held} (" in finding.message


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        ("minilm", {"hidden_size": 768, "intermediate_size": 3072, "vocab_size": 31000, "num_hidden_layers": 12}),
        ("modernbert", {"hidden_size": 96, "intermediate_size": 64}),
        ("electra", {"embedding_size": 48}),  # now equal to hidden_size, so that the projection looks superfluous
        ("electra", {"hidden_size": 20}),
        ("deberta-v2", {"position_buckets": 32}),
    ],
)
def test_all_wrong_fields_are_named_and_nothing_else(
    sound: Tiny, tmp_path: Path, base: str, wrong: Mapping[str, int]
) -> None:
    folder = edited_copy(sound(base), tmp_path / "broken", **wrong)
    assert {finding.where: finding.actual for finding in alarms(folder)} == {
        f"config.json {key}": value for key, value in wrong.items()
    }


def test_types_that_config_says_there_are_none_of(sound: Tiny, tmp_path: Path) -> None:
    """type_vocab_size 0 hides the tensor that would contradict it."""
    folder = edited_copy(sound("deberta-v2"), tmp_path / "broken")
    added("embeddings.token_type_embeddings.weight", 2, 48)(folder)
    (finding,) = alarms(folder)
    assert (finding.where, finding.expected, finding.actual) == ("config.json type_vocab_size", 2, 0)


def test_a_dense_file_that_is_cut_off_is_a_finding(sound: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(sound("sentence"), tmp_path / "broken")
    _cut_short(folder)
    (finding,) = alarms(folder)
    assert (finding.code, finding.where) == ("weights-file-truncated", "3_Dense/model.safetensors")
