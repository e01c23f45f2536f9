"""Small checkpoints after public bug reports, made one change at a time."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from tests.support.checkpoints import minilm_folder

if TYPE_CHECKING:
    from pathlib import Path

_MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 512,
}
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def set_fields(folder: Path, name: str, **values: object) -> None:
    """Set fields of a JSON file, which is made where there is none."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | values))


def tiny_bert(folder: Path, class_name: str = "BertModel", *, dtype: Any = None, **config: object) -> Path:
    """A seeded BERT of hidden_size 32 and two layers, with the tokenizer of MiniLM."""
    import torch
    import transformers

    torch.manual_seed(0)
    values: dict[str, Any] = {"vocab_size": 30522, **_SIZES, **config}
    made = transformers.BertConfig(**values)
    model = getattr(transformers, class_name)(made)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    (model if dtype is None else model.to(dtype)).save_pretrained(folder)
    for name in _TOKENIZER:
        if (minilm_folder() / name).exists():
            shutil.copy(minilm_folder() / name, folder / name)
            (folder / name).chmod(0o644)
    return folder


def sentence_files(folder: Path, *, normalize: bool = False, max_seq_length: int | None = 128, **outer: object) -> Path:
    """Files of sentence-transformers around a model of hidden_size 32: mean pooling, by the old names."""
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    steps = [
        {"idx": index, "name": str(index), "path": f"{index}_{kind}" if index else "", "type": _type(kind)}
        for index, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(steps))
    modes = {f"pooling_mode_{mode}": mode == "mean_tokens" for mode in _MODES}
    set_fields(folder, "1_Pooling/config.json", word_embedding_dimension=32, **modes)
    set_fields(folder, "sentence_bert_config.json", max_seq_length=max_seq_length, do_lower_case=False)
    set_fields(folder, "config_sentence_transformers.json", prompts={}, default_prompt_name=None, **outer)
    return folder


def _type(kind: str) -> str:
    return f"sentence_transformers.models.{kind}"
