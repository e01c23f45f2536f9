"""Every rule of soundness has a checkpoint that breaks it and nothing else; sound checkpoints raise no alarm."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bertshape import inspect_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.checkpoint.locate import embedded_names
from bertshape.predict.config import resolve
from bertshape.predict.family import family_names, load_family
from bertshape.soundness.soundness import check_soundness
from bertshape.soundness.values import check_values
from bertshape.tokens.tokenizer import load_tokenizer
from tests.support.checkpoints import FAMILIES, edited_copy
from tests.support.command_line import SECONDS
from tests.tools.make_family import tiny_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bertshape.report.finding import Finding

    Tiny = Callable[[str], Path]
    Edit = Callable[[Path], None]
    State = dict[str, torch.Tensor]


# Checkpoints ---------------------------------------------------------------------------------------------------------


def findings(model: Path | str) -> list[Finding]:
    checkpoint = open_checkpoint(str(model))
    architecture = resolve(checkpoint.config, checkpoint.config_path)
    tokenized = (checkpoint.tokenizer_folder / "tokenizer.json").exists()
    return check_soundness(checkpoint, architecture, load_tokenizer(checkpoint) if tokenized else None)


def alarms(model: Path | str) -> list[Finding]:
    return [finding for finding in findings(model) if finding.severity != "note"]


@pytest.fixture(scope="session")
def sound(minilm: Path, tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Sound checkpoints by name: `minilm`, a family, `sentence` (a chain with Dense), `sharded`."""
    made = {"minilm": minilm}

    def get(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("sound") / name
            if name == "sentence":
                _save_sentence(get("bert"), folder)
            elif name == "sharded":
                _save_sharded(get("bert"), folder)
            else:
                edited_copy(tiny(name), folder)
                # The tiny ones declare as many tokens as positions; families that count from the padding lose two.
                usable = 62 if name in ("roberta", "xlm-roberta", "mpnet") else 64
                settings("tokenizer_config.json", model_max_length=usable)(folder)
            made[name] = folder
        return made[name]

    return get


def _save_sentence(source: Path, folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    transformer = Transformer(str(source), max_seq_length=32)
    chain = [transformer, Pooling(48, "mean"), Normalize(), Dense(48, 12), Dense(12, 6)]
    SentenceTransformer(modules=chain, device="cpu").save(str(folder))


def _save_sharded(source: Path, folder: Path) -> None:
    import transformers

    edited_copy(source, folder)
    (folder / "model.safetensors").unlink()
    transformers.AutoModel.from_pretrained(source).save_pretrained(folder, max_shard_size="50KB")
    assert len(list(folder.glob("*.safetensors"))) > 1


def settings(file: str, **values: object) -> Edit:
    """Edit that sets fields of a JSON file."""

    def edit(folder: Path) -> None:
        path = folder / file
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return edit


def tensors(change: Callable[[State], State], file: str = "model.safetensors") -> Edit:
    """Edit that stores other tensors."""

    def edit(folder: Path) -> None:
        state = change(load_file(folder / file))
        (folder / file).unlink()
        save_file(state, folder / file, metadata={"format": "pt"})

    return edit


def without(part: str) -> Edit:
    return tensors(lambda state: {name: tensor for name, tensor in state.items() if part not in name})


def added(name: str, *shape: int, file: str = "model.safetensors") -> Edit:
    """Edit that adds a tensor, or puts it in the place of the one of this name."""
    return tensors(lambda state: state | {name: torch.zeros(shape)}, file)


def renamed(rename: Callable[[str], str]) -> Edit:
    return tensors(lambda state: {rename(name): tensor for name, tensor in state.items()})


def tokenizer(change: Callable[[Any], Any]) -> Edit:
    """Edit that changes the tokenizer; what `change` returns goes in its place, unless it is None."""

    def edit(folder: Path) -> None:
        from tokenizers import Tokenizer

        backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
        (change(backend) or backend).save(str(folder / "tokenizer.json"))

    return edit


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


def _old_names(name: str) -> str:
    for new, old in (("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")):
        name = name.removesuffix(new) + old if name.endswith(new) else name
    return f"bert.{name}"


# What breaks each rule -----------------------------------------------------------------------------------------------


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
    "absurdly many layers": Broken("bert", *_LAYERS, "5", "9999", (), {"num_hidden_layers": 9_999}),
    "layers by another name": Broken(
        "distilbert", "layers-mismatch", "config.json n_layers", "5", "9", (), {"n_layers": 9}
    ),
    "a tensor is missing": Broken(
        "bert",
        "tensors-missing",
        _QUERY,
        "87 backbone tensors",
        "86",
        ("1 backbone tensor", "random"),
        edit=without(_QUERY),
    ),
    "half a pooler": Broken(
        "bert",
        "tensors-missing",
        "pooler.dense.bias",
        "87 backbone tensors",
        "86",
        edit=without("pooler.dense.bias"),
    ),
    "a tensor too many": Broken(
        "bert",
        "tensors-unexpected",
        "encoder.layer.3.adapter.weight",
        "87 backbone tensors",
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
        "5 tokens",
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
        edit=settings("tokenizer_config.json", mask_token={"content": "<mask>"}),
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
        renamed(_old_names),
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
    assert (finding.where, finding.expected, finding.actual) == (broken.where, broken.expected, broken.actual)
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
    assert (finding.expected, finding.actual) == (str(held), str(wrong))
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
        f"config.json {key}": str(value) for key, value in wrong.items()
    }


def test_types_that_config_says_there_are_none_of(sound: Tiny, tmp_path: Path) -> None:
    """type_vocab_size 0 hides the tensor that would contradict it."""
    folder = edited_copy(sound("deberta-v2"), tmp_path / "broken")
    added("embeddings.token_type_embeddings.weight", 2, 48)(folder)
    (finding,) = alarms(folder)
    assert (finding.where, finding.expected, finding.actual) == ("config.json type_vocab_size", "2", "0")


def test_a_dense_file_that_is_cut_off_is_a_finding(sound: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(sound("sentence"), tmp_path / "broken")
    _cut_short(folder)
    (finding,) = alarms(folder)
    assert (finding.code, finding.where) == ("weights-file-truncated", "3_Dense/model.safetensors")


# Sound checkpoints ---------------------------------------------------------------------------------------------------


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
    names = _class_names(family)
    assert len(names) >= (1 if family == "dpr" else 2), "the base model and at least one head"
    for name in names:
        model = getattr(transformers, name)(tiny_config(family))
        model.save_pretrained(tmp_path / name)
        pooler_is_stored = any("pooler." in tensor for tensor in model.state_dict())
        notes = {finding.code for finding in findings(tmp_path / name)}
        if name in _WITHOUT_DECODER:
            assert notes == {"tensors-missing"}
            continue
        assert alarms(tmp_path / name) == []
        assert notes == ({"pooler-random"} if row.pooler and not pooler_is_stored else set())


def test_old_names_and_leftovers_raise_no_alarm(sound: Tiny, tmp_path: Path) -> None:
    """As the first BERT releases are stored: gamma, beta, prefix, pre-training heads, a buffer."""
    folder = edited_copy(sound("bert"), tmp_path / "old", architectures=["BertForPreTraining"])
    renamed(_old_names)(folder)
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
    assert findings(folder) == []


def test_a_class_of_ones_own_is_no_mismatch(sound: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(sound("bert"), tmp_path / "own", architectures=["BertForSomethingNew", "MyRobertaHead"])
    assert alarms(folder) == []


# Notes, values, form -------------------------------------------------------------------------------------------------


def test_what_was_not_checked_is_said(sound: Tiny, tmp_path: Path) -> None:
    unknown = edited_copy(sound("minilm"), tmp_path / "unknown", model_type="layoutlm")
    assert [finding.code for finding in findings(unknown)] == ["family-unknown", "length-limits-disagree"]
    pickle = edited_copy(sound("bert"), tmp_path / "pickle")
    torch.save(load_file(pickle / "model.safetensors"), pickle / "pytorch_model.bin")
    (pickle / "model.safetensors").unlink()
    (finding,) = findings(pickle)
    assert (finding.code, "pytorch_model.bin is a pickle" in finding.message) == ("weights-not-checked", True)
    assert [finding.code for finding in check_values(open_checkpoint(str(pickle)))] == ["values-not-checked"]


def test_length_limits_that_disagree_are_noted(minilm: Path) -> None:
    (finding,) = findings(minilm)
    assert (finding.code, finding.severity) == ("length-limits-disagree", "note")
    for piece in ("model_max_length = 512", "max_seq_length = 256", "truncation.max_length = 128", "512 tokens run"):
        assert piece in finding.message


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


def test_json_carries_where_expected_and_actual(sound: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(sound("bert"), tmp_path / "json", num_hidden_layers=7)
    document: Any = inspect_texts("a", model=str(folder), weights="none").to_dict()
    (row,) = [row for row in document["findings"] if row["severity"] == "error"]
    assert (row["where"], row["expected"], row["actual"]) == ("config.json num_hidden_layers", "5", "7")


def test_inspect_names_the_other_family_too(sound: Tiny, tmp_path: Path) -> None:
    """Instead of a hundred tensors that are missing and a hundred that should not be there."""
    folder = edited_copy(sound("bert"), tmp_path / "other", model_type="distilbert")
    report = inspect_texts("a", model=str(folder), weights="none")
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["model-type-mismatch"]


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
