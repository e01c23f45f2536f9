"""Names of tokenizer classes in transformers 5: which model type has which, and which names mean the same class."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GENERIC = "TokenizersBackend"
"""The class that takes tokenizer.json as it is; PreTrainedTokenizerFast in transformers 4."""

_BY_CLASS = {
    "BertTokenizer": "bert bros convbert distilbert electra ernie layoutlm lxmert megatron-bert mobilebert nomic_bert "
    "squeezebert visual_bert",
    "RobertaTokenizer": "bart bridgetower data2vec-text ibert led lilt longformer mra roberta roberta-prelayernorm",
    "XLMRobertaTokenizer": "gte jina_embeddings_v3 xlm-roberta xmod",
    "AlbertTokenizer": "albert yoso",
    GENERIC: "granite mistral mixtral modernbert modernbert-decoder nystromformer olmo2 phi3 stablelm umt5 "
    "xlm-roberta-xl",
    "BigBirdTokenizer": "big_bird",
    "CamembertTokenizer": "camembert",
    "DebertaTokenizer": "deberta",
    "DebertaV2Tokenizer": "deberta-v2",
    "DPRQuestionEncoderTokenizer": "dpr",
    "FNetTokenizer": "fnet",
    "FunnelTokenizer": "funnel",
    "MPNetTokenizer": "mpnet",
    "RemBertTokenizer": "rembert",
    "XLNetTokenizer": "xlnet",
    # These have no row.
    "CanineTokenizer": "canine",
    "EsmTokenizer": "esm",
    "FlaubertTokenizer": "flaubert",
    "LukeTokenizer": "luke",
    "RoCBertTokenizer": "roc_bert",
    "RoFormerTokenizer": "roformer",
    "SplinterTokenizer": "splinter",
    "XLMTokenizer": "xlm",
    "BertGenerationTokenizer": "bert-generation",
    "GemmaTokenizer": "gemma gemma2 gemma3_text",
    "GPT2Tokenizer": "gpt2",
    "GPTNeoXTokenizer": "gpt_neox",
    "Qwen2Tokenizer": "qwen2 qwen3",
    "T5Tokenizer": "mt5 t5",
    "CLIPTokenizer": "clip",
}
REGISTERED: Mapping[str, str] = MappingProxyType(
    {model_type: name for name, types in _BY_CLASS.items() for model_type in types.split()}
)
"""Tokenizer class that transformers registers for a model type, where tokenizer_config.json names none."""
ALWAYS_REGISTERED = frozenset(["qwen2"])
"""Model types of which transformers takes the registered class whatever the files name: many name a wrong one."""
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        alias: name
        for name, aliases in {
            "BertTokenizer": "Electra MobileBert SqueezeBert LayoutLM Lxmert",
            "RobertaTokenizer": "Bart LED Longformer Mvp",
            GENERIC: "Bloom PreTrained",
        }.items()
        for alias in (f"{stem}Tokenizer" for stem in aliases.split())
    }
)
"""Names that transformers keeps for a class of another name."""
PYTHON_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "BertGenerationTokenizer": "sentencepiece",
        "BertJapaneseTokenizer": "fugashi",
        "BertweetTokenizer": "emoji",
        "CanineTokenizer": "",
        "EsmTokenizer": "",
        "FlaubertTokenizer": "sacremoses",
        "PhobertTokenizer": "",
        "RoCBertTokenizer": "",
        "TapasTokenizer": "",
        "XLMTokenizer": "sacremoses",
    }
)
"""Classes that are written in Python and ignore tokenizer.json, with the package that each needs."""
