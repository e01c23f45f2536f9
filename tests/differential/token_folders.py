"""Tokenizer folders of every kind that people have, and of kinds that nobody should have: one for each seed."""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
import struct
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from bertshape.tokens.classes import CLASSES
from tests.differential.charsmap import CHARSMAP

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

Document = dict[str, Any]

_CORPUS = [
    "This is an example sentence, and a second one follows it.",
    "Sentence embeddings average the vectors of tokens, and padding must not take part.",
    "Unbelievably long words are cut into pieces; short ones are not.",
    "Ein Beispiel: naïve café, 東京 and some numbers 0 1 2 3 4 5 6 7 8 9. don't ``quote''",
]
_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_ALBERT = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
_XLNET = ("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


@functools.cache
def _trained(kind: str) -> str:
    """A small tokenizer of a kind, as tokenizer.json has it."""
    if kind in ("WordPiece", "funnel"):
        special = ["<pad>", "<unk>", "<cls>", "<sep>", "<mask>", "<s>", "</s>"] if kind == "funnel" else list(_BERT)
        tokenizer = Tokenizer(models.WordPiece(unk_token=special[1]))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer: Any = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    elif kind in ("BPE", "deberta", "herbert"):
        special = list(_BERT if kind == "deberta" else _ROBERTA)
        suffix = "</w>" if kind == "herbert" else None
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix=suffix) if suffix else models.BPE())
        words = pre_tokenizers.BertPreTokenizer() if suffix else pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.pre_tokenizer = words
        options: dict[str, Any] = {"end_of_word_suffix": suffix} if suffix else {}
        trainer = trainers.BpeTrainer(
            vocab_size=340,
            special_tokens=special,
            initial_alphabet=[] if suffix else pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
            **options,
        )
    else:
        special = list({"xlm": _ROBERTA, "albert": _ALBERT, "xlnet": _XLNET, "deberta-v2": _BERT}[kind])
        unknown = "[UNK]" if kind == "deberta-v2" else "<unk>"
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=160, special_tokens=special, unk_token=unknown, show_progress=False
        )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    first, last = (special.index(name) for name in _ends(kind))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special[first]}:0 $A:0 {special[last]}:0",
        pair=f"{special[first]}:0 $A:0 {special[last]}:0 $B:1 {special[last]}:1",
        special_tokens=[(special[index], tokenizer.token_to_id(special[index])) for index in (first, last)],
    )
    return tokenizer.to_str()


def _ends(kind: str) -> tuple[str, str]:
    if kind in ("BPE", "herbert", "xlm"):
        return "<s>", "</s>"
    return ("<cls>", "<sep>") if kind in ("funnel", "xlnet") else ("[CLS]", "[SEP]")


# Kinds that fit a class, and the model types that come with it.
_FITTING: dict[str, tuple[str, tuple[str, ...]]] = {
    "BertTokenizer": ("WordPiece", ("bert", "electra", "nomic_bert", "distilbert", "mobilebert")),
    "DistilBertTokenizer": ("WordPiece", ("distilbert",)),
    "ConvBertTokenizer": ("WordPiece", ("convbert",)),
    "SplinterTokenizer": ("WordPiece", ("splinter",)),
    "DPRQuestionEncoderTokenizer": ("WordPiece", ("dpr",)),
    "DPRContextEncoderTokenizer": ("WordPiece", ("dpr",)),
    "ElectraTokenizer": ("WordPiece", ("electra",)),
    "FunnelTokenizer": ("funnel", ("funnel",)),
    "MPNetTokenizer": ("WordPiece", ("mpnet",)),
    "RobertaTokenizer": ("BPE", ("roberta", "longformer", "ibert", "data2vec-text")),
    "LongformerTokenizer": ("BPE", ("longformer",)),
    "DebertaTokenizer": ("deberta", ("deberta",)),
    "HerbertTokenizer": ("herbert", ("bert", "herbert")),
    "XLMRobertaTokenizer": ("xlm", ("xlm-roberta", "xlm-roberta-xl", "xmod")),
    "CamembertTokenizer": ("xlm", ("camembert",)),
    "BarthezTokenizer": ("xlm", ("barthez",)),
    "AlbertTokenizer": ("albert", ("albert", "yoso", "nystromformer")),
    "FNetTokenizer": ("albert", ("fnet",)),
    "RemBertTokenizer": ("albert", ("rembert",)),
    "BigBirdTokenizer": ("albert", ("big_bird",)),
    "DebertaV2Tokenizer": ("deberta-v2", ("deberta-v2",)),
    "XLNetTokenizer": ("xlnet", ("xlnet",)),
    "PreTrainedTokenizerFast": ("WordPiece", ("bert", "modernbert", "roberta", "xlm-roberta")),
    "TokenizersBackend": ("BPE", ("modernbert", "eurobert", "bert")),
    # Of decoders, of T5 and of CLIP.
    "LlamaTokenizer": ("BPE", ("llama", "mistral", "phi3")),
    "GemmaTokenizer": ("BPE", ("gemma", "gemma2", "gemma3_text")),
    "Qwen2Tokenizer": ("BPE", ("qwen2", "qwen3")),
    "GPT2Tokenizer": ("BPE", ("gpt2", "opt", "gpt_neo")),
    "GPTNeoXTokenizer": ("BPE", ("gpt_neox", "modernbert")),
    "CLIPTokenizer": ("herbert", ("clip", "clip_text_model")),
    "T5Tokenizer": ("xlm", ("t5", "mt5", "umt5")),
}
_PIECE_FILES = {row.name: row.files[0] for row in CLASSES.values() if row.files[0].endswith(".model")}
_CAN_READ_PIECES = all(map(importlib.util.find_spec, ("sentencepiece", "google")))
"""Transformers reads them with these packages."""
_KINDS = ("WordPiece", "funnel", "BPE", "deberta", "herbert", "xlm", "albert", "xlnet", "deberta-v2")


def make_folder(rng: random.Random, folder: Path) -> None:
    """Write config.json, the tokenizer's files and settings."""
    name = rng.choice(list(_FITTING))
    kind, types = _FITTING[name]
    if rng.random() < 0.1:
        kind = rng.choice(_KINDS)
    model_type = rng.choice(types)
    if rng.random() < 0.05:
        model_type = rng.choice(rng.choice(list(_FITTING.values()))[1])
    document = trained(kind)
    config: dict[str, object] = {"model_type": model_type, "vocab_size": 400}
    settings: dict[str, object] = {}
    _name_class(rng, name, config, settings)
    vocabulary = list(_entries(document))
    for change in rng.sample(_CHANGES, rng.choice((0, 1, 1, 2, 3))):
        change(rng, document, vocabulary)
    for setting in rng.sample(_SETTINGS, rng.choice((0, 1, 1, 2, 3, 5))):
        setting(rng, settings, vocabulary)
    _write(folder / "config.json", config)
    if settings or rng.random() < 0.8:
        _write(folder / "tokenizer_config.json", settings)
    _other_files(rng, folder, vocabulary)
    in_pieces = _CAN_READ_PIECES and name in _PIECE_FILES and document["model"].get("type") == "Unigram"
    if rng.random() < 0.15 and kind in ("WordPiece", "funnel", "BPE", "deberta", "herbert"):
        _write_vocabulary(folder, document)
    elif rng.random() < 0.3 and in_pieces:
        (folder / _PIECE_FILES[name]).write_bytes(piece_file(document, rng))
    else:
        _write(folder / "tokenizer.json", document)


def trained(kind: str) -> Document:
    """A small tokenizer of a kind, to be changed."""
    document: Document = json.loads(_trained(kind))
    return document


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _entries(document: Document) -> list[str]:
    vocabulary = document["model"]["vocab"]
    return [item[0] for item in vocabulary] if isinstance(vocabulary, list) else list(vocabulary)


def _write_vocabulary(folder: Path, document: Document) -> None:
    """The files of releases before tokenizer.json."""
    model = document["model"]
    if "merges" not in model:
        words = sorted(model["vocab"], key=model["vocab"].__getitem__)
        (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
        return
    _write(folder / "vocab.json", model["vocab"])
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")


def piece_file(document: Document, rng: random.Random | None = None) -> bytes:
    """A vocabulary as SentencePiece stores it, a protobuf message: pieces of one kind, or of many by chance."""
    vocabulary = document["model"]["vocab"]
    pieces = b"".join(_message(1, _piece(*entry, _kind(rng, *entry))) for entry in enumerate(vocabulary))
    if rng is None:
        return pieces
    trainer = bytes((3 << 3, 1)) + b"\xc0\x02" + bytes([rng.choice((0, 1, 2, 3))]) if rng.random() < 0.8 else b""
    table = rng.choice((b"", _message(2, base64.b64decode(CHARSMAP)), _message(1, b"nmt_nfkc")))
    return rng.choice((b"", b"\xa0\x06\x01")) + pieces + _message(2, trainer) + _message(3, table)


def _kind(rng: random.Random | None, index: int, entry: tuple[str, float]) -> int:
    """1 for a piece of text, 2 for the unknown one, 3 for one that stands for no text, 4 for one of a user's own."""
    if rng is None or rng.random() < 0.2:
        return 1
    if "unk" in entry[0]:
        return 2
    return 3 if index < 8 and rng.random() < 0.6 else 4 if rng.random() < 0.01 else 1


def _piece(index: int, entry: tuple[str, float], kind: int) -> bytes:
    token, score = entry
    written = _message(1, token.encode()) + b"\x15" + struct.pack("<f", score)
    return written if kind == 1 and index % 2 else written + bytes((3 << 3, kind))


def _message(number: int, content: bytes) -> bytes:
    size, sized = len(content), b""
    while size > 127:
        sized += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + sized + bytes([size]) + content


def _name_class(rng: random.Random, name: str, config: dict[str, object], settings: dict[str, object]) -> None:
    written = name + rng.choice(("", "Fast")) if name.endswith("Tokenizer") else name
    written = rng.choice((written,) * 8 + ("NoSuchTokenizer", "PreTrainedTokenizerFast"))
    where = rng.random()
    if where < 0.7:
        settings["tokenizer_class"] = written
    elif where < 0.8:
        config["tokenizer_class"] = written


def _normalizer(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None}
    charsmap = {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}
    document["normalizer"] = rng.choice(
        (
            None,
            {**bert, "lowercase": rng.random() < 0.5},
            {**bert, "lowercase": True, "strip_accents": rng.choice((True, False))},
            {**bert, "lowercase": False, "handle_chinese_chars": False},
            {**bert, "lowercase": True, "clean_text": False},
            {"type": "NFC"},
            charsmap,
            {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
            {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, charsmap]},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        )
    )


def _pre_tokenizer(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    metaspace = {"type": "Metaspace", "replacement": "▁", "split": True}
    document["pre_tokenizer"] = rng.choice(
        (
            None,
            {"type": "BertPreTokenizer"},
            {"type": "WhitespaceSplit"},
            {"type": "ByteLevel", "add_prefix_space": rng.random() < 0.5, "trim_offsets": True, "use_regex": True},
            {**metaspace, "prepend_scheme": rng.choice(("always", "first", "never"))},
            {"type": "Metaspace", "replacement": "▁", "add_prefix_space": rng.random() < 0.5},
            {
                "type": "Sequence",
                "pretokenizers": [{"type": "WhitespaceSplit"}, {**metaspace, "prepend_scheme": "always"}],
            },
        )
    )


def _post_processor(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    first, last = rng.choices(range(min(8, len(vocabulary))), k=2)
    ends = {"sep": [vocabulary[last], last], "cls": [vocabulary[first], first]}
    special = {
        vocabulary[index]: {"id": vocabulary[index], "ids": [index], "tokens": [vocabulary[index]]}
        for index in (first, last)
    }

    def piece(index: int, type_id: int) -> Document:
        return {"SpecialToken": {"id": vocabulary[index], "type_id": type_id}}

    single = [piece(first, 0), {"Sequence": {"id": "A", "type_id": 0}}]
    second = rng.choice((0, 1, 1, 2, 300))
    pair = [*single, piece(last, 0), {"Sequence": {"id": "B", "type_id": second}}, piece(last, second)]
    document["post_processor"] = rng.choice(
        (
            None,
            {"type": "BertProcessing", **ends},
            {"type": "RobertaProcessing", **ends, "trim_offsets": rng.random() < 0.5, "add_prefix_space": True},
            {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special},
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        )
    )


def _added(content: str, index: int, rng: random.Random) -> Document:
    flags = {flag: rng.random() < 0.3 for flag in _FLAGS}
    return {"id": index, "content": content, **flags, "special": rng.random() < 0.6}


def _added_tokens(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    """Other flags, fewer tokens, tokens that the vocabulary lacks, ids with a gap."""
    size = len(vocabulary)
    for token in document["added_tokens"]:
        if rng.random() < 0.2:
            token[rng.choice(_FLAGS)] ^= True
    if rng.random() < 0.3 and document["added_tokens"]:
        document["added_tokens"].pop(rng.randrange(len(document["added_tokens"])))
    for number in range(rng.choice((0, 1, 1, 3))):
        content = rng.choice((f"<e{number}>", f"word{number}", f"[E {number}]", "sentence"))
        document["added_tokens"].append(_added(content, size + number + rng.choice((0, 0, 7)), rng))
        vocabulary.append(content)


def _padding(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    direction = rng.choice(("Left", "Right"))
    document["padding"] = {
        "strategy": rng.choice(("BatchLongest", {"Fixed": 9})),
        "direction": direction,
        "pad_to_multiple_of": None,
        "pad_id": 1,
        "pad_type_id": rng.choice((0, 1)),
        "pad_token": rng.choice(vocabulary[:8]),
    }


def _truncation(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    document["truncation"] = {
        "direction": rng.choice(("Left", "Right")),
        "max_length": rng.choice((4, 12, 128)),
        "strategy": rng.choice(("LongestFirst", "OnlyFirst")),
        "stride": rng.choice((0, 0, 1)),
    }


def _model(rng: random.Random, document: Document, vocabulary: list[str]) -> None:
    model = document["model"]
    kind = model["type"]
    if kind == "WordPiece":
        model["continuing_subword_prefix"] = rng.choice(("##", "@@"))
        model["max_input_chars_per_word"] = rng.choice((100, 5, 200))
        model["unk_token"] = rng.choice((model["unk_token"], rng.choice(vocabulary)))
    elif kind == "BPE":
        model["fuse_unk"] = rng.random() < 0.5
        model["unk_token"] = rng.choice((None, vocabulary[3]))
        model["ignore_merges"] = rng.random() < 0.5
    else:
        model["unk_id"] = rng.choice((0, 1, 2, 3, 10))
    if rng.random() < 0.2 and kind != "Unigram":
        del model["type"]


_CHANGES: list[Callable[[random.Random, Document, list[str]], None]] = [
    _normalizer,
    _pre_tokenizer,
    _post_processor,
    _added_tokens,
    _padding,
    _truncation,
    _model,
]
_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def _flag(name: str, *values: object) -> Callable[[random.Random, dict[str, object], list[str]], None]:
    def set_one(rng: random.Random, settings: dict[str, object], vocabulary: list[str]) -> None:
        settings[name] = rng.choice(values or (True, False))

    return set_one


def _token(rng: random.Random, vocabulary: list[str]) -> object:
    """A special token as files write one: a string, an object, null, known or new."""
    content = rng.choice((*vocabulary[:8], "<new>", "[X]", "sentence", "a b"))
    flags = {flag: rng.random() < 0.4 for flag in _FLAGS}
    return rng.choice(
        (
            content,
            content,
            content,
            {"__type": "AddedToken", "content": content, **flags},
            {"content": content, **flags},
            None,
        )
    )


def _role(rng: random.Random, settings: dict[str, object], vocabulary: list[str]) -> None:
    settings[rng.choice(_ROLES)] = _token(rng, vocabulary)


def _own_role(rng: random.Random, settings: dict[str, object], vocabulary: list[str]) -> None:
    settings["question_token"] = _token(rng, vocabulary)


def _extra(rng: random.Random, settings: dict[str, object], vocabulary: list[str]) -> None:
    name = rng.choice(("additional_special_tokens", "extra_special_tokens"))
    tokens = [_token(rng, vocabulary) for _ in range(rng.choice((0, 1, 2, 3)))]
    values: tuple[object, ...] = (tokens, [token for token in tokens if isinstance(token, str)])
    if name == "extra_special_tokens":
        values += ({"image_token": "<image>"}, None)
    settings[name] = rng.choice(values)


def _decoder(rng: random.Random, settings: dict[str, object], vocabulary: list[str]) -> None:
    tokens = {}
    for _ in range(rng.choice((0, 1, 3, 5))):
        index = rng.choice((*range(8), len(vocabulary), len(vocabulary) + 1, len(vocabulary) + 9))
        content = vocabulary[index] if index < len(vocabulary) else rng.choice(("<new>", "<e1>", "[X]", "word"))
        token = _added(content, index, rng)
        tokens[str(token.pop("id"))] = token
    settings["added_tokens_decoder"] = tokens


_SETTINGS: list[Callable[[random.Random, dict[str, object], list[str]], None]] = [
    _flag("do_lower_case"),
    _flag("strip_accents", True, False, None),
    _flag("tokenize_chinese_chars"),
    _flag("clean_text"),
    _flag("keep_accents"),
    _flag("remove_space"),
    _flag("split_by_punct"),
    _flag("add_prefix_space"),
    _flag("trim_offsets"),
    _flag("legacy"),
    _flag("unk_id", 0, 1, 2, 3),
    _flag("split_special_tokens"),
    _flag("add_bos_token"),
    _flag("add_eos_token"),
    _flag("padding_side", "left", "right", "left", "right", "up"),
    _flag("truncation_side", "left", "right"),
    _flag("model_max_length", 8, 512, 10**30),
    _flag("clean_up_tokenization_spaces"),
    _flag("backend", "tokenizers"),
    _flag(
        "model_input_names",
        ["input_ids"],
        ["input_ids", "attention_mask"],
        ["input_ids", "token_type_ids", "attention_mask"],
    ),
    _role,
    _role,
    _role,
    _own_role,
    _extra,
    _extra,
    _decoder,
    _decoder,
]


def _other_files(rng: random.Random, folder: Path, vocabulary: list[str]) -> None:
    if rng.random() < 0.3:
        content = {rng.choice(_ROLES): _token(rng, vocabulary) for _ in range(rng.choice((0, 1, 3)))}
        content = {
            role: token for role, token in content.items() if not (isinstance(token, dict) and "__type" in token)
        }
        if rng.random() < 0.4:
            _extra(rng, content, vocabulary)
        _write(folder / "special_tokens_map.json", content)
    if rng.random() < 0.15:
        tokens = rng.sample(("<e1>", "<e2>", "[X]", "sentence", "<new>"), rng.choice((0, 1, 2)))
        _write(folder / "added_tokens.json", {token: len(vocabulary) + index for index, token in enumerate(tokens)})
