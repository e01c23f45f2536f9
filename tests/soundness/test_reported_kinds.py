"""Kinds of faults after public bug reports: `check` names each, and `embed` writes nothing where the libraries fail.

The threads: sentence-transformers 3208, 2458, 3980, 167, 405; transformers 981, 343; guwenbert 11; KeyBERT 130.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bertshape import check_checkpoint, embed_texts
from tests.support.small_cases import sentence_files, set_fields, tiny_bert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Build = Callable[[Path], object]

TEXTS = ["This is an Example.", "the quick brown fox", "paris"]


@dataclass(frozen=True)
class Kind:
    """A folder, and what is said of it.

    Attributes:
        build: Makes it.
        code: Code of the finding, or of the error.
        severity: Its severity.
        says: A piece of its message or hint.
    """

    build: Build
    code: str
    severity: str
    says: str


def _tokenizer(**settings: object) -> Build:
    def build(folder: Path) -> None:
        set_fields(sentence_files(tiny_bert(folder)), "tokenizer_config.json", **settings)

    return build


def _vocabulary(change: Callable[[list[str]], list[str]], *, lower: bool = True, encoding: str = "utf-8") -> Build:
    """A tiny BERT with nothing but another vocab.txt."""

    def build(folder: Path) -> None:
        tiny_bert(folder)
        entries = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        for name in ("tokenizer.json", "special_tokens_map.json", "tokenizer_config.json"):
            (folder / name).unlink(missing_ok=True)
        (folder / "vocab.txt").write_text("\n".join(change(sorted(entries, key=entries.get))), encoding=encoding)
        set_fields(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=lower)

    return build


def _capitals(words: list[str]) -> list[str]:
    known = set(words)
    wanted = {at: word.capitalize() for at, word in enumerate(words) if 3000 < at < 13000 and word.isalpha()}
    return [wanted[at] if wanted.get(at) and wanted[at] not in known else word for at, word in enumerate(words)]


def _other_vocabulary(folder: Path) -> None:
    tiny_bert(folder)
    (folder / "vocab.txt").write_text("[PAD]\ncovid19\n")


def _no_prefix(folder: Path) -> None:
    _tokenizer(tokenizer_class="PreTrainedTokenizerFast")(folder)
    document = json.loads((folder / "tokenizer.json").read_text())
    document["model"]["continuing_subword_prefix"] = ""
    (folder / "tokenizer.json").write_text(json.dumps(document))


def _weights(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], **config: Any) -> Build:
    def build(folder: Path) -> None:
        tiny_bert(folder, **config)
        state = change(load_file(folder / "model.safetensors"))
        save_file({name: value.clone() for name, value in state.items()}, folder / "model.safetensors")

    return build


def _wrapped(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    made = {name.replace(".query.", ".query.base_layer."): value for name, value in state.items()}
    return made | {"encoder.layer.0.attention.self.query.lora_A.default.weight": torch.ones(4, 32)}


def _settings(**config: object) -> Build:
    return lambda folder: set_fields(tiny_bert(folder), "config.json", **config)


def _renamed(old: str, new: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda state: {name.replace(old, new): value for name, value in state.items()}


def _dense(stored: dict[str, torch.Tensor], *, pickled: bool = False, **settings: object) -> Build:
    def build(folder: Path) -> None:
        sentence_files(tiny_bert(folder))
        steps = json.loads((folder / "modules.json").read_text())
        steps.append(
            steps[1] | {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
        )
        (folder / "modules.json").write_text(json.dumps(steps))
        set_fields(folder, "2_Dense/config.json", in_features=32, out_features=16, bias=True, **settings)
        if pickled:
            torch.save(stored, folder / "2_Dense/pytorch_model.bin")
        else:
            save_file(stored, folder / "2_Dense/model.safetensors")

    return build


def _sentence(file: str, **values: object) -> Build:
    return lambda folder: set_fields(sentence_files(tiny_bert(folder)), file, **values)


def _old_step(folder: Path) -> None:
    sentence_files(tiny_bert(folder))
    path = folder / "modules.json"
    path.write_text(path.read_text().replace("models.Transformer", "models.BERT"))


def _marked(name: str) -> Build:
    def build(folder: Path) -> None:
        tiny_bert(folder)
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())

    return build


def _adapter_beside(folder: Path) -> None:
    set_fields(tiny_bert(folder), "adapter_config.json", base_model_name_or_path="org/base")


def _foreign(file: str) -> Build:
    def build(folder: Path) -> None:
        set_fields(folder, "config.json", top_n_words=10)
        (folder / file).write_text("{}")

    return build


_LINEAR = {"linear.weight": torch.ones(16, 32), "linear.bias": torch.ones(16)}
KINDS = {
    "padding on the left of absolute positions": Kind(
        _tokenizer(padding_side="left"), "padding-side-left", "warning", "depends on the longest text"
    ),
    "no attention mask": Kind(
        _tokenizer(model_input_names=["input_ids"]), "attention-mask-not-made", "error", "model_input_names"
    ),
    "a second segment over one row": Kind(
        lambda folder: tiny_bert(folder, type_vocab_size=1), "segments-out-of-range", "warning", "the segment 1"
    ),
    "a limit in quotation marks": Kind(
        _tokenizer(model_max_length="512"), "tokenizer-settings-invalid", "error", "expected a number"
    ),
    "a vocabulary without capitals, and texts with them": Kind(
        _vocabulary(lambda words: words, lower=False), "case-not-of-vocabulary", "warning", '"do_lower_case": true'
    ),
    "a vocabulary with capitals, and texts without": Kind(
        _vocabulary(_capitals), "case-not-of-vocabulary", "warning", '"do_lower_case": false'
    ),
    "a token twice": Kind(
        _vocabulary(lambda words: [*words[:5000], words[2023], *words[5001:]]), "vocabulary-repeats", "warning", "2023"
    ),
    "a vocabulary with a byte order mark": Kind(
        _vocabulary(lambda words: words, encoding="utf-8-sig"), "special-token-missing", "error", "byte order mark"
    ),
    "the tokenizer of a smaller vocabulary": Kind(
        _vocabulary(lambda words: words[:28996]), "rows-without-tokens", "note", "30,522 rows"
    ),
    "words in vocab.txt that tokenizer.json lacks": Kind(
        _other_vocabulary, "vocabulary-files-differ", "warning", "'covid19' and '[unused0]'"
    ),
    "word pieces that no word reaches": Kind(_no_prefix, "word-pieces-unreachable", "error", "'##'"),
    "an adapter that was not merged": Kind(_weights(_wrapped), "adapter-not-merged", "error", "merge_and_unload"),
    "an adapter beside the weights": Kind(_adapter_beside, "adapter-beside", "warning", "org/base"),
    "tensors of ZeRO-3": Kind(
        _weights(lambda state: {name: row if row.dim() < 2 else torch.zeros(0) for name, row in state.items()}),
        "tensors-empty", "error", "zero_to_fp32.py",
    ),
    "heads that were pruned": Kind(
        _weights(lambda state: state | {"encoder.layer.0.attention.self.query.weight": torch.ones(24, 32)},
                 pruned_heads={0: [0]}),
        "tensor-mismatch", "error", "[24, 32]",
    ),
    "names of flash-attn": Kind(
        _weights(_renamed("attention.self.query", "mixer.Wqkv")), "tensors-missing", "error", "flash-attn"
    ),
    "whole numbers without scales": Kind(
        _weights(lambda state: state | {"embeddings.word_embeddings.weight": torch.ones(30522, 32, dtype=torch.int8)}),
        "tensors-rounded", "warning", "int8",
    ),
    "a model type that is none": Kind(
        lambda folder: set_fields(tiny_bert(folder), "config.json", model_type="bert-base-uncased"),
        "model-type-unknown", "error", 'Write "model_type": "bert"',
    ),
    "flash attention asked for": Kind(
        lambda folder: set_fields(tiny_bert(folder), "config.json", _attn_implementation="flash_attention_2"),
        "attention-implementation", "warning", "flash_attention_2",
    ),
    "a dense step without its bias": Kind(
        _dense({"linear.weight": torch.ones(16, 32)}),
        "embedding-dimension-mismatch", "error", "linear.bias: expected [16]",
    ),
    "a pickled dense step of another size": Kind(
        _dense({"linear.weight": torch.ones(8, 32), "linear.bias": torch.ones(8)}, pickled=True),
        "embedding-dimension-mismatch", "error", "pytorch_model.bin holds [8, 32]",
    ),
    "an activation that is code": Kind(
        _dense(_LINEAR, activation_function="__main__.Own"), "activation-not-trusted", "warning", "Tanh"
    ),
    "a key that Transformer refuses": Kind(
        _sentence("sentence_bert_config.json", own=1), "step-refused", "error", "sentence_bert_config.json has own"
    ),
    "a key that Pooling refuses": Kind(
        _sentence("1_Pooling/config.json", pooling_mode_own=True), "step-refused", "error", "has pooling_mode_own"
    ),
    "a class of the first sentence-transformers": Kind(_old_step, "step-refused", "error", "models.BERT"),
    "no step that gives a vector": Kind(
        lambda folder: (sentence_files(tiny_bert(folder)) / "modules.json").write_text(
            '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]'
        ),
        "sentence-embedding-missing", "error", "KeyError",
    ),
    "an activation that is none": Kind(
        _settings(hidden_act="gelu_typo"), "config-value-unknown", "error", "hidden_act is 'gelu_typo'"
    ),
    "a number in quotation marks": Kind(
        _settings(layer_norm_eps="1e-12"), "config-value-unknown", "error", "layer_norm_eps is '1e-12'"
    ),
    "a number of null": Kind(_settings(hidden_dropout_prob=None), "config-value-unknown", "error", "is None"),
    "a dtype that is none": Kind(_settings(dtype="float61"), "config-value-unknown", "error", "dtype is 'float61'"),
    "prompts that nobody asks for": Kind(
        _sentence("config_sentence_transformers.json", prompts={"query": "q: "}), "prompts-not-default", "note", "query"
    ),
    "prompts of null": Kind(
        _sentence("config_sentence_transformers.json", prompts=None), "sentence-transformers-invalid", "error", "None"
    ),
    "a config.json with a byte order mark": Kind(_marked("config.json"), "file-json", "error", "byte order mark"),
    "BERTopic": Kind(_foreign("topics.json"), "other-library", "error", "model of BERTopic"),
    "AllenNLP": Kind(_foreign("weights.th"), "other-library", "error", "model of AllenNLP"),
}  # fmt: skip


def _rows(folder: Path) -> dict[str, Any]:
    report = check_checkpoint(folder)
    found: dict[str, Any] = {row.code: row for row in report.findings}
    if report.error is not None:
        found[report.error.code] = report.error
    return found


@pytest.mark.parametrize("name", KINDS)
def test_check_names_it_and_nothing_else_is_an_error(name: str, tmp_path: Path) -> None:
    kind, folder = KINDS[name], tmp_path / "m"
    folder.mkdir()
    kind.build(folder)
    found = _rows(folder)
    assert kind.code in found
    row = found[kind.code]
    assert kind.says in f"{row.message} {row.hint}"
    assert getattr(row, "severity", "error") == kind.severity
    errors = {code for code, row in found.items() if getattr(row, "severity", "error") == "error"}
    assert errors - {"tensors-unexpected"} == ({kind.code} if kind.severity == "error" else set())
    assert check_checkpoint(folder).passed is (kind.severity != "error")


def test_vectors_that_are_all_the_same_are_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    last = "encoder.layer.1.output.LayerNorm.weight"
    _weights(lambda state: state | {last: torch.zeros(32)})(folder)
    sentence_files(folder)
    written = embed_texts(TEXTS, tmp_path / "v.npz", model=folder, device="cpu")
    assert [row.code for row in written.findings if row.severity == "error"] == ["outputs-collapsed"]
    assert not (tmp_path / "v.npz").exists()
    checked = check_checkpoint(folder, run=True, values=True, texts=TEXTS[0])
    assert {"values-zero", "outputs-collapsed"} <= {row.code for row in checked.findings}
    assert embed_texts(TEXTS[:1] * 3, tmp_path / "v.npz", model=folder, device="cpu").written
