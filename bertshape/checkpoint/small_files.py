"""Names of the small files that are read of a checkpoint: fetched from the Hub, and watched by the pre-commit hook."""

from __future__ import annotations

ANCHORS = ("config.json", "modules.json")
"""A checkpoint has one of them at its root; sentence-transformers once kept config.json in a subfolder."""
SENTENCE_FILES = tuple(
    f"sentence_{family}_config.json"
    for family in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""sentence-transformers 6 takes the first of these that is there and not empty."""
SMALL_FILES = frozenset(
    {
        *ANCHORS,
        *SENTENCE_FILES,
        "added_tokens.json",
        "config_sentence_transformers.json",
        "model.safetensors.index.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
)
VOCABULARY_FILES = frozenset(
    {
        "bpe.codes",
        "entity_vocab.json",
        "merges.txt",
        "sentencepiece.bpe.model",
        "sentencepiece.model",
        "spiece.model",
        "spm.model",
        "tokenizer.model",
        "vocab.json",
        "vocab.txt",
    }
)
"""Needed only where there is no tokenizer.json to say it all."""
