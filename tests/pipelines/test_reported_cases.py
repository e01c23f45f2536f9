"""Checkpoints after public bug reports: tokens, findings and vectors are right in every command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer

from bertshape import check_checkpoint, diff_checkpoints, embed_texts, inspect_texts
from tests.support.small_cases import sentence_files, set_fields, tiny_bert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = ["Paris is <e1>here</e1>, naïve-café!", "a b c d e f g h i j k l m n o p", "paris"]


@dataclass(frozen=True)
class Reported:
    """A checkpoint, and what is to be said of it.

    Attributes:
        build: Makes it in a folder.
        code: Code of the finding that every command has; None where nothing is wrong.
        refused: Code of the error for which `embed` writes nothing.
        by_running: Whether a run alone shows it.
    """

    build: Callable[[Path], object]
    code: str | None
    refused: str | None = None
    by_running: bool = False


def _plain(folder: Path, **settings: Any) -> Path:
    tiny_bert(folder)
    set_fields(folder, "tokenizer_config.json", **settings)
    return folder


def _edit_tokenizer(folder: Path, **parts: Any) -> None:
    set_fields(folder, "tokenizer.json", **parts)


def _lower_case(folder: Path) -> None:
    tiny_bert(folder)
    (folder / "tokenizer.json").unlink()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Paris", "paris", "is", "a", "b"]
    (folder / "vocab.txt").write_text("\n".join([*words, *(f"x{number}" for number in range(30522 - len(words)))]))
    set_fields(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=False)
    set_fields(sentence_files(folder), "sentence_bert_config.json", do_lower_case=True)


def _late_interaction(folder: Path) -> None:
    sentence_files(tiny_bert(folder))
    steps = json.loads((folder / "modules.json").read_text())
    steps[1] |= {"path": "1_Dense", "type": "pylate.models.Dense.Dense"}
    (folder / "modules.json").write_text(json.dumps(steps))
    set_fields(folder, "1_Dense/config.json", in_features=32, out_features=16, bias=False)
    save_file({"linear.weight": torch.ones(16, 32)}, folder / "1_Dense/model.safetensors")


def _overflows(folder: Path) -> None:
    sentence_files(tiny_bert(folder, dtype=torch.float16))
    weights = load_file(folder / "model.safetensors")
    for name, tensor in weights.items():
        if "intermediate.dense.weight" in name or (name.endswith("output.dense.weight") and "attention" not in name):
            tensor.fill_(600.0)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _without_template(folder: Path) -> None:
    _plain(folder, tokenizer_class="PreTrainedTokenizerFast")
    _edit_tokenizer(folder, post_processor=None)
    sentence_files(folder)


def _own_normalizer(folder: Path) -> None:
    _plain(folder, tokenizer_class="BertTokenizer")
    steps = [{"type": "NFKC"}, {"type": "Lowercase"}]
    _edit_tokenizer(
        folder, normalizer={"type": "Sequence", "normalizers": steps}, pre_tokenizer={"type": "WhitespaceSplit"}
    )


def _added_tokens(folder: Path) -> None:
    tiny_bert(folder, vocab_size=30524)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
    set_fields(folder, "added_tokens.json", **{"<e1>": 30522, "</e1>": 30523})
    set_fields(folder, "special_tokens_map.json", additional_special_tokens=["<e1>", "</e1>"], **special)
    set_fields(folder, "tokenizer_config.json", do_lower_case=True)


CASES = {
    "27 lower case in one file alone": Reported(
        lambda folder: _plain(folder, do_lower_case=False), "tokenizer-readers-differ"
    ),
    "28 sentence-transformers lowers a cased tokenizer": Reported(_lower_case, "lower-case"),
    "43 PyLate": Reported(_late_interaction, "late-interaction", "chain-broken"),
    "44 a truncated dimension": Reported(
        lambda folder: sentence_files(tiny_bert(folder), normalize=True, truncate_dim=16), "truncate-dim"
    ),
    "55 a decoder by one key": Reported(lambda folder: tiny_bert(folder, is_decoder=True), "attention-causal"),
    "57 float16 that overflows": Reported(_overflows, "non-finite-outputs", "non-finite-outputs", by_running=True),
    "66 no token types": Reported(
        lambda folder: _plain(folder, model_input_names=["input_ids", "attention_mask"]), "token-type-ids-not-made"
    ),
    "67 no special tokens": Reported(_without_template, "special-tokens-not-added"),
    "68 the end of a text is kept": Reported(
        lambda folder: sentence_files(_plain(folder, truncation_side="left"), max_seq_length=8), None
    ),
    "92 a normalizer that BertTokenizer does not read": Reported(_own_normalizer, "tokenizer-readers-differ"),
    "94 added tokens of old releases": Reported(_added_tokens, None),
}


def _codes(report: Any) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize("name", CASES)
def test_every_command_gives_what_the_libraries_give(name: str, tmp_path: Path) -> None:
    case, folder = CASES[name], tmp_path / "m"
    folder.mkdir()
    case.build(folder)
    shown = inspect_texts(TEXTS, model=folder, device="cpu")
    own = AutoTokenizer.from_pretrained(str(folder))(TEXTS, padding=True)
    rows = shown.tokenization.rows
    assert [[token.input_id for token in row.tokens] for row in rows] == own["input_ids"]
    if "token_type_ids" in own:
        assert [[token.token_type_id for token in row.tokens] for row in rows] == own["token_type_ids"]
    assert ("token_type_ids" in shown.to_dict()["inputs"]["tensors"]) == ("token_type_ids" in own)
    compared = diff_checkpoints(folder, folder, texts=TEXTS[0])
    assert list(compared.texts[0].before.input_ids) == [
        number for number, there in zip(own["input_ids"][0], own["attention_mask"][0], strict=True) if there
    ]
    checked = check_checkpoint(folder, run=case.by_running)
    written = embed_texts(TEXTS, tmp_path / "v.safetensors", model=folder, device="cpu")
    if case.code is not None:
        assert case.code in _codes(shown) & _codes(checked) & _codes(written)
    if case.refused is not None:
        assert case.refused in _codes(written)
        assert not (tmp_path / "v.safetensors").exists()
        return
    encoded = SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(TEXTS)
    vectors = load_file(tmp_path / "v.safetensors")["sentence_embedding"]
    torch.testing.assert_close(vectors, torch.tensor(encoded), atol=1e-5, rtol=1e-4)
