"""Tokenizer files that are broken, or belong to another model."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.hostile.case import Case
from tests.hostile.model import CHECK, INSPECT, VOCABULARY, sound, tokenizer_json, with_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FILE, _SETTINGS = "tokenizer.json", "tokenizer_config.json"
_FIVE = VOCABULARY[:5]


def _edited(**values: object) -> Callable[[Path], None]:
    """A maker of the sound checkpoint with other values at the top of tokenizer.json."""
    return with_file(_FILE, json.dumps({**json.loads(tokenizer_json()), **values}))


def _model(**values: object) -> Callable[[Path], None]:
    return _edited(model={**json.loads(tokenizer_json())["model"], **values})


def _plain(**values: object) -> Callable[[Path], None]:
    """As `_edited`, under a class that takes the file as it is; the sound one takes nothing but its vocabulary."""

    def make(here: Path) -> None:
        _edited(**values)(here)
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "[CLS]", "pad_token": "[PAD]"}
        (here / "m" / _SETTINGS).write_text(json.dumps(settings))

    return make


def _template(special: object, *pieces: object) -> Callable[[Path], None]:
    template = {"type": "TemplateProcessing", "single": pieces, "pair": pieces, "special_tokens": special}
    return _plain(post_processor=template)


def _token(name: str, *ids: int, tokens: int = 1) -> dict[str, object]:
    return {name: {"id": name, "ids": ids, "tokens": [name] * tokens}}


def _special(name: str, type_id: int = 0) -> dict[str, object]:
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def _sequence(name: str, type_id: int = 0) -> dict[str, object]:
    return {"Sequence": {"id": name, "type_id": type_id}}


def _charsmap(table: bytes) -> Callable[[Path], None]:
    encoded = base64.b64encode(table).decode()
    return _plain(normalizer={"type": "Precompiled", "precompiled_charsmap": encoded})


def _bpe(**values: object) -> Callable[[Path], None]:
    model = {"type": "BPE", "vocab": {"[UNK]": 0, "a": 1, "b": 2, "ab": 3}, "merges": ["a b"], "unk_token": "[UNK]"}
    return _plain(model={**model, **values}, added_tokens=[], post_processor=None)


def _unigram(vocabulary: list[list[Any]], unk_id: int | None = 0) -> Callable[[Path], None]:
    return _plain(model={"type": "Unigram", "vocab": vocabulary, "unk_id": unk_id}, added_tokens=[])


def _words(**values: object) -> Callable[[Path], None]:
    ids = {token: index for index, token in enumerate(VOCABULARY)}
    return _plain(model={"type": "WordLevel", "vocab": ids, "unk_token": "[UNK]", **values}, added_tokens=[])


def _plain_model(**values: object) -> Callable[[Path], None]:
    return _plain(model={**json.loads(tokenizer_json())["model"], **values})


def _asked(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """The same under a class for which transformers is asked."""

    def asked(here: Path) -> None:
        make(here)
        (here / "m" / _SETTINGS).write_text(json.dumps({"tokenizer_class": "T5Tokenizer"}))

    return asked


def _bomb() -> dict[str, object]:
    step = {"type": "Replace", "pattern": {"Regex": "."}, "content": "a" * 10}
    return {"type": "Sequence", "normalizers": [step] * 9}


def _settings(**values: object) -> Callable[[Path], None]:
    return with_file(_SETTINGS, json.dumps(values))


def _vocabulary(content: str | bytes) -> Callable[[Path], None]:
    """The sound checkpoint with a vocab.txt in place of tokenizer.json."""

    def make(here: Path) -> None:
        folder = sound(here)
        (folder / _FILE).unlink()
        (folder / "vocab.txt").write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def _added(content: str, number: int) -> list[dict[str, Any]]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return [{"id": number, "content": content, **flags}]


def _of(words: tuple[str, ...]) -> Callable[[Path], None]:
    return with_file(_FILE, tokenizer_json(words))


def _beside(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """A checkpoint `good` beside the broken one."""

    def both(here: Path) -> None:
        sound(here).rename(here / "good")
        make(here)

    return both


_ESCAPED = json.dumps(
    {**json.loads(tokenizer_json()), "normalizer": {"type": "Precompiled", "precompiled_charsmap": "////f////38="}}
).replace("charsmap", "ch\\u0061rsmap")
_REGEX = {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}, "behavior": "Isolated", "invert": False}
_NOTHING = {"type": "FixedLength", "length": 0}
PANICS = (
    Case(
        "words of no length", _plain(pre_tokenizer=_NOTHING), INSPECT, 3, ("tokenizer.json cannot encode", "chunk size")
    ),
    Case("words of no length, checked", _plain(pre_tokenizer=_NOTHING), CHECK, 1, ("cannot encode", "chunk size")),
    Case(
        "words of no length, checked with a text before a sound one",
        _beside(_plain(pre_tokenizer=_NOTHING)),
        ("check", "m", "good", "-e", "sequence_length=4", "--text", "a text"),
        3,
        ("cannot encode the text: chunk size", "good"),
    ),
    Case(
        "words of no length, profiled",
        _plain(pre_tokenizer=_NOTHING),
        ("profile", "-", "--model", "m"),
        3,
        ("tokenizer.json cannot encode", "chunk size"),
        stdin=b"a\nb\n",
    ),
    Case(
        "an expression that tries for too long",
        _plain(pre_tokenizer=_REGEX),
        ("inspect", "x" * 60, *INSPECT[2:]),
        3,
        ("tokenizer.json cannot encode", "retry-limit"),
    ),
    Case("a charsmap of three bytes", _charsmap(b"abc"), INSPECT, 3, ("precompiled_charsmap has 3 bytes",)),
    Case("a charsmap of nothing", _charsmap(b""), CHECK, 3, ("precompiled_charsmap has 0 bytes",)),
    Case("a charsmap without a table", _charsmap(bytes(8)), INSPECT, 3, ("index out of bounds",)),
    Case("a charsmap that ends the process", _charsmap(b"\xff\xff\xff\x7f" * 2), INSPECT, 3, ("table of 2147483647",)),
    Case(
        "a charsmap that is no base64",
        _plain(normalizer={"type": "Precompiled", "precompiled_charsmap": "a"}),
        CHECK,
        3,
        ("no base64",),
    ),
    Case(
        "a template of a token without an id",
        _template({}, _special("[NO]"), _sequence("A")),
        INSPECT,
        3,
        ("no entry found",),
    ),
    Case("a template of the second text alone", _template({}, _sequence("B")), INSPECT, 3, ("index out of bounds",)),
    Case(
        "a template of three ids and one token",
        _template(_token("[CLS]", 2, 3, 2), _special("[CLS]"), _sequence("A")),
        INSPECT,
        0,
        (),
        shape=(1, 5, 8),
    ),
    Case(
        "a template of an id beyond 31 bits",
        _template(_token("[CLS]", 4_000_000_000), _special("[CLS]"), _sequence("A")),
        INSPECT,
        3,
        ("id 4000000000",),
    ),
    Case("a template of type ids", _template({}, _sequence("A", 4_000_000_000)), INSPECT, 0, (), shape=(1, 2, 8)),
    Case(
        "a template of 100,000 texts",
        _template({}, *[_sequence("A")] * 100_000),
        INSPECT,
        3,
        ("template has 100,000 pieces",),
    ),
    Case(
        "a template of a token of 100,000 ids",
        _template({"[CLS]": {"id": "[CLS]", "ids": [2] * 100_000, "tokens": ["[CLS]"] * 100_000}}, _special("[CLS]")),
        INSPECT,
        3,
        ("template has 100,000 pieces",),
    ),
    Case(
        "a charsmap under a key of escapes",
        with_file(_FILE, _ESCAPED),
        INSPECT,
        3,
        ("one of its keys is written with escapes",),
    ),
    Case("Unigram of a token of 300,000 letters", _unigram([["x" * 300_000, 0.0]]), CHECK, 3, ("has 300,000 bytes",)),
    Case("Unigram of a token of 300,000 quotes", _unigram([['\\"' * 150_000, 0.0]]), INSPECT, 3, ("expected at most",)),
    Case(
        "a long token of a class that transformers is asked for",
        _asked(_unigram([["x" * 300_000, 0.0]])),
        CHECK,
        3,
        ("expected at most 50,000",),
    ),
    Case("Unigram of nothing", _unigram([], unk_id=None), CHECK, 1, ("cannot encode",)),
    Case("Unigram without an unknown piece", _unigram([["a", 0.0]], unk_id=None), CHECK, 1, ("`unk_id` is missing",)),
    Case("Unigram with an unknown piece far away", _unigram([["a", 0.0]], unk_id=2**40), INSPECT, 3, ("NotInVocab",)),
    Case("Unigram of one piece fifty times", _unigram([["a", 0.0]] * 50), CHECK, 1, ("49", "below 12")),
    Case("Unigram of scores without end", _unigram([["a", 1e308], ["b", -1e308]]), INSPECT, 1, ("unknown",)),
    Case("WordLevel without its unknown token", _words(unk_token="[NO]"), CHECK, 1, ("'[NO]'",)),
    Case("WordLevel of ids beyond 31 bits", _words(vocab={"[UNK]": 1, "a": 2**32 - 1}), CHECK, 1, ("4294967295",)),
    Case("WordPiece of words of no length", _plain_model(max_input_chars_per_word=0), INSPECT, 0, ("unknown",)),
    Case("WordPiece of words of -1 letters", _plain_model(max_input_chars_per_word=-1), CHECK, 3, ("expected usize",)),
    Case("WordPiece of one id", _plain_model(vocab=dict.fromkeys(VOCABULARY, 0)), INSPECT, 0, (), shape=(1, 4, 8)),
    Case(
        "a template of an id of 32 bits",
        _plain(post_processor={"type": "BertProcessing", "sep": ["[SEP]", 2**32 - 1], "cls": ["[CLS]", 2]}),
        CHECK,
        1,
        ("gives the id 4294967295 in", "below 12 (vocab_size)"),
    ),
    Case("20,000 extra tokens", _settings(extra_special_tokens=[f"x{i}" for i in range(20_000)]), CHECK, 1, ("12",)),
    Case("BPE with a prefix longer than its tokens", _bpe(continuing_subword_prefix="#####"), CHECK, 3, ("range end",)),
    Case("BPE without its unknown token", _bpe(unk_token="[NO]"), CHECK, 1, ("'[NO]'",)),
    Case("a normalizer that multiplies", _plain(normalizer=_bomb()), INSPECT, 3, ("1e+09 characters",)),
    Case(
        "a normalizer that adds",
        _plain(normalizer={"type": "Prepend", "prepend": "a" * 5_000}),
        CHECK,
        3,
        ("5e+03 characters",),
    ),
    Case("a normalizer that multiplies, not taken", _edited(normalizer=_bomb()), INSPECT, 0, ("normalizer",)),
)
TOKENIZERS = (
    Case("tokenizer.json empty", with_file(_FILE, ""), INSPECT, 3, ("tokenizer.json is not a tokenizer",)),
    Case("tokenizer.json cut", with_file(_FILE, tokenizer_json()[:-50]), CHECK, 3, ("is not a tokenizer",)),
    Case("tokenizer.json an array", with_file(_FILE, "[]"), INSPECT, 3, ("is not a tokenizer",)),
    Case("tokenizer.json of no model", with_file(_FILE, "{}"), CHECK, 3, ("is not a tokenizer",)),
    Case("tokenizer.json not UTF-8", with_file(_FILE, b"\xff\xfe{"), CHECK, 3, ("is not a tokenizer",)),
    Case("tokenizer.json deep", with_file(_FILE, "[" * 100_000), INSPECT, 3, ("is not a tokenizer",)),
    Case("tokenizer.json of an unknown model", _edited(model={"type": "Nosuch"}), CHECK, 3, ("is not a tokenizer",)),
    Case("tokenizer.json with ids of text", _model(vocab={"a": "1"}), CHECK, 3, ("is not a tokenizer",)),
    Case("tokenizer.json with negative ids", _model(vocab={"[UNK]": -1}), INSPECT, 3, ("is not a tokenizer",)),
    Case("tokenizer.json with ids beyond 32 bits", _model(vocab={"[UNK]": 2**40}), CHECK, 3, ("is not a tokenizer",)),
    Case("tokenizer.json with ids beyond the rows", _model(vocab={"[UNK]": 1, "text": 500}), CHECK, 1, ("500", "12")),
    Case("tokenizer.json with ids beyond the rows, used", _model(vocab={"[UNK]": 1, "a": 500}), INSPECT, 3, ("500",)),
    Case("tokenizer.json of no words", _model(vocab={}), CHECK, 1, ("unk_token", "'[UNK]'")),
    Case("tokenizer.json of no words, used", _model(vocab={}), INSPECT, 3, ("tokenizer.json", "[UNK]")),
    Case(
        "tokenizer.json of no words, profiled",
        _model(vocab={}),
        ("profile", "-", "--model", "m"),
        3,
        ("tokenizer.json", "[UNK]"),
        stdin=b"zzz\n",
    ),
    Case("tokenizer.json of 5 words", _of(_FIVE), INSPECT, 0, ("2 of 2 content tokens unknown",), shape=(1, 4, 8)),
    Case("tokenizer.json of another model", _of((*VOCABULARY, *map(str, range(9)))), CHECK, 1, ("20", "below 12")),
    Case(
        "tokenizer.json with a broken expression",
        _edited(pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}),
        CHECK,
        3,
        ("is not a tokenizer",),
    ),
    Case(
        "tokenizer.json with a post-processor of nothing", _edited(post_processor=None), INSPECT, 0, (), shape=(1, 4, 8)
    ),
    Case(
        "tokenizer.json with a post-processor of nothing, and a class that takes it",
        _plain(post_processor=None),
        INSPECT,
        0,
        ("adds no special token",),
        shape=(1, 2, 8),
    ),
    Case(
        "tokenizer.json with a token added far away",
        _edited(added_tokens=_added("zebra", 10**6)),
        CHECK,
        1,
        ("'zebra'", "below 12"),
    ),
    Case("tokenizer.json with an empty token", _edited(added_tokens=_added("", 11)), INSPECT, 0, (), shape=(1, 4, 8)),
    Case(
        "tokenizer.json with truncation to 0",
        _edited(truncation={"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 0}),
        INSPECT,
        0,
        (),
        shape=(1, 4, 8),
    ),
    Case("no tokenizer at all", with_file(_FILE, None), INSPECT, 3, ("there is no tokenizer in m",)),
    Case("vocab.txt empty", _vocabulary(""), CHECK, 1, ("'[CLS]'", "vocab.txt has no entry for")),
    Case("vocab.txt without [CLS]", _vocabulary("[PAD]\n[UNK]\n[SEP]\na\n"), CHECK, 1, ("'[CLS]'", "with id 4")),
    Case("vocab.txt not UTF-8", _vocabulary(b"[PAD]\n\xff\xfe\n"), CHECK, 3, ("vocab.txt is not a vocabulary",)),
    Case("vocab.txt sound", _vocabulary("\n".join(VOCABULARY)), INSPECT, 0, (), shape=(1, 4, 8)),
    Case("settings not JSON", with_file(_SETTINGS, "{"), CHECK, 3, ("tokenizer_config.json is not valid JSON",)),
    Case("settings an array", with_file(_SETTINGS, "[]"), INSPECT, 3, ("expected a JSON object",)),
    Case("settings with a special token of no entry", _settings(cls_token="<s>"), CHECK, 1, ("cls_token", "'<s>'")),
    Case("settings with special tokens of numbers", _settings(pad_token=3), CHECK, 3, ("pad_token has to be",)),
    Case("settings with special tokens of lists", _settings(unk_token=[]), INSPECT, 3, ("unk_token has to be",)),
    Case("settings with added tokens of numbers", _settings(added_tokens_decoder={"1": 2}), CHECK, 3, ("expected an",)),
    Case("settings with extra tokens of numbers", _settings(extra_special_tokens=[3]), CHECK, 3, ("tokenizer.json",)),
    Case("settings with a length of text", _settings(model_max_length="long"), INSPECT, 3, ("long",)),
    Case("settings with a length below zero", _settings(model_max_length=-4), INSPECT, 0, (), shape=(1, 4, 8)),
    Case(
        "settings with a length of half a token",
        _settings(model_max_length=0.5),
        (*INSPECT, "--truncation"),
        2,
        ("leaves no room",),
    ),
    Case(
        "settings with a length of 2", _settings(model_max_length=2), (*INSPECT, "--truncation"), 0, (), shape=(1, 2, 8)
    ),
    Case("settings with a padding side of nonsense", _settings(padding_side="up"), CHECK, 3, ("is 'up', expected",)),
    Case("settings with a truncation side of nonsense", _settings(truncation_side=1), CHECK, 3, ("is 1, expected",)),
    Case(
        "padding without a padding token",
        _settings(pad_token=None),
        ("inspect", "a", "a text", *INSPECT[2:]),
        3,
        ("no padding token",),
    ),
    Case(
        "padding with a token of no entry",
        _settings(pad_token="<none>"),
        ("inspect", "a", "a text", *INSPECT[2:]),
        3,
        ("id 12",),
    ),
    Case("settings with inputs of no names", _settings(model_input_names=[None, [], 3]), CHECK, 1, ("attention_mask",)),
    Case(
        "a token with a key that no token has",
        _settings(pad_token={"content": "[PAD]", "__type": "AddedToken", "strip": 1}),
        INSPECT,
        0,
        ("m bert",),
        shape=(1, 4, 8),
    ),
    Case("special_tokens_map.json not JSON", with_file("special_tokens_map.json", "?"), CHECK, 3, ("not valid JSON",)),
)
CASES = TOKENIZERS + PANICS
