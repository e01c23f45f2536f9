"""Tiny copies of folders that many people have: the files and settings of the originals, with random weights."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, processors

from bertshape import inspect_texts
from tests.differential import tokens as differential
from tests.differential.token_folders import trained
from tests.pipelines.test_encode import embedded, encoded
from tests.support.small_cases import set_fields
from tests.tools.make_family import build_model, tiny_config

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ["This is an example sentence.", "words", "", "Ein Beispiel: naïve café, 東京. " * 9]
_TANH, _PLAIN = "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"
_XLM = {"tokenizer_class": "XLMRobertaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
_BERT = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
_CASED = {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False}
_MPNET = {"tokenizer_class": "MPNetTokenizer", "do_lower_case": True}
_GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
_ROBERTA = {"tokenizer_class": "RobertaTokenizer", "trim_offsets": True, "add_prefix_space": False}
_T5 = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "eos_token": "</s>", "pad_token": "<pad>"}
_QWEN = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<s>", "pad_token": "<pad>", "padding_side": "left"}
_QWEN |= {"unk_token": "<unk>"}
_GEMMA = {"tokenizer_class": "GemmaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True}
_REMOTE = "nomic-ai/nomic-bert-2048--modeling_hf_nomic_bert.NomicBertModel"


@dataclass(frozen=True)
class Public:
    """What a folder holds.

    Attributes:
        model_type: Type of the model.
        kind: Kind of the vocabulary.
        settings: Content of tokenizer_config.json.
        pooling: Mode of its Pooling.
        dense: Sizes, activation and bias of each Dense.
        normalize: Whether Normalize comes last.
        prompts: Its prompts.
        limit: Its max_seq_length.
        config: Changes to config.json.
    """

    model_type: str
    kind: str
    settings: dict[str, Any]
    pooling: str
    dense: tuple[tuple[int, int, str, bool], ...] = ()
    normalize: bool = False
    prompts: dict[str, str] = field(default_factory=dict)
    limit: int | None = 60
    config: dict[str, Any] = field(default_factory=dict)


_QUERY = {"query": "query: ", "document": ""}
_TASKS = {"query": "task: search result | query: ", "document": "title: none | text: "}
FOLDERS = {
    "multilingual-e5": Public("xlm-roberta", "xlm", _XLM, "mean", normalize=True),
    "bge-m3": Public("xlm-roberta", "xlm", _XLM, "cls", normalize=True),
    "gte-modernbert-base": Public("modernbert", "BPE", _GENERIC, "cls"),
    "nomic-embed-text": Public("nomic_bert", "WordPiece", _BERT, "mean", config={"auto_map": {"AutoModel": _REMOTE}}),
    "mxbai-embed-large": Public("bert", "WordPiece", _BERT, "cls", prompts={"query": "Represent this sentence: "}),
    "arctic-embed-l-v2": Public("xlm-roberta", "xlm", _XLM, "cls", normalize=True, prompts={"query": "query: "}),
    "granite-embedding": Public("roberta", "BPE", _ROBERTA, "cls", normalize=True),
    "embeddinggemma": Public(
        "gemma3_text",
        "BPE",
        _GEMMA,
        "mean",
        dense=((48, 64, _PLAIN, False), (64, 48, _PLAIN, False)),
        normalize=True,
        prompts=_TASKS,
        config={"use_bidirectional_attention": True},
    ),
    "Qwen3-Embedding": Public("qwen3", "BPE", _QWEN, "lasttoken", normalize=True, prompts=_QUERY, limit=None),
    "sentence-t5-base": Public("t5", "xlm", _T5, "mean", dense=((48, 40, _PLAIN, False),), normalize=True),
    "gtr-t5-base": Public("t5", "xlm", _T5, "mean", dense=((48, 48, _PLAIN, False),), normalize=True),
    "LaBSE": Public("bert", "WordPiece", _BERT, "cls", dense=((48, 48, _TANH, True),), normalize=True),
    "distiluse": Public("distilbert", "WordPiece", _CASED, "mean", dense=((48, 32, _TANH, True),)),
    "paraphrase-multilingual-MiniLM": Public("bert", "xlm", _XLM, "mean"),
    "clip-ViT-B-32-multilingual": Public("distilbert", "WordPiece", _CASED, "mean", dense=((48, 32, _PLAIN, False),)),
    "msmarco-distilbert": Public("distilbert", "WordPiece", _BERT, "mean"),
    "all-mpnet-base-v2": Public("mpnet", "mpnet", _MPNET, "mean", normalize=True),
    "multi-qa-mpnet-dot": Public("mpnet", "mpnet", _MPNET, "cls"),
    "allenai-specter": Public("bert", "WordPiece", _BERT, "cls"),
}


def _document(kind: str) -> str:
    """A tokenizer.json; MPNet's WordPiece begins with the tokens of RoBERTa."""
    if kind != "mpnet":
        return json.dumps(trained(kind))
    text = json.dumps(trained("WordPiece"))
    names = (("[PAD]", "<s>"), ("[UNK]", "<pad>"), ("[CLS]", "</s>"), ("[SEP]", "[UNK]"), ("[MASK]", "<mask>"))
    for old, new in names:
        text = text.replace(f'"{old}"', f'"{new}"')
    return text.replace('"unk_token": "<pad>"', '"unk_token": "[UNK]"')


def build(folder: Path, public: Public) -> Path:
    """The whole folder."""
    torch.manual_seed(0)
    model = build_model(tiny_config(public.model_type, num_hidden_layers=2, vocab_size=340, **public.config))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    set_fields(folder, "config.json", **public.config)
    tokenizer = Tokenizer.from_str(_document(public.kind))
    if public.model_type == "qwen3":
        tokenizer.post_processor = processors.TemplateProcessing("$A <s>", special_tokens=[("<s>", 0)])
    tokenizer.save(str(folder / "tokenizer.json"))
    set_fields(folder, "tokenizer_config.json", **public.settings)
    steps = ["Transformer", "Pooling", *["Dense"] * len(public.dense), *["Normalize"] * public.normalize]
    paths = [f"{index}_{name}" if index else "" for index, name in enumerate(steps)]
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
        for index, (name, path) in enumerate(zip(steps, paths, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    modes = ("cls_token", "mean_tokens", "max_tokens", "lasttoken")
    chosen = {f"pooling_mode_{mode}": mode.startswith(public.pooling) for mode in modes}
    set_fields(folder, "1_Pooling/config.json", word_embedding_dimension=48, **chosen)
    for path, (taken, given, activation, bias) in zip(paths[2:], public.dense, strict=False):
        config = {"in_features": taken, "out_features": given, "bias": bias, "activation_function": activation}
        set_fields(folder, f"{path}/config.json", **config)
        weights = {"linear.weight": torch.randn(given, taken) * 0.2}
        save_file(weights | ({"linear.bias": torch.randn(given)} if bias else {}), folder / path / "model.safetensors")
    set_fields(folder, "sentence_bert_config.json", max_seq_length=public.limit, do_lower_case=False)
    set_fields(folder, "config_sentence_transformers.json", prompts=public.prompts, default_prompt_name=None)
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_tokens_shapes_and_vectors_are_those_of_the_libraries(name: str, tmp_path: Path) -> None:
    public = FOLDERS[name]
    folder = build(tmp_path / "m", public)
    assert not differential.compare(random.Random(0), folder)
    for prompt in (None, *public.prompts):
        theirs = encoded(folder, TEXTS, prompt_name=prompt)
        torch.testing.assert_close(embedded(folder, TEXTS, prompt_name=prompt)[1], theirs, atol=1e-5, rtol=1e-5)
    shape = inspect_texts(TEXTS[:3], model=folder, weights="none").embedding[-1].shape
    assert shape is not None
    assert shape.sizes == (3, theirs.shape[1])
