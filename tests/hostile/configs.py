"""config.json is broken, or says what no model can be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.hostile.case import Case
from tests.hostile.model import CHECK, CONFIG, INSPECT, sound, with_config, with_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TEXT = json.dumps(dict(CONFIG))


def _text(content: str | bytes) -> Callable[[Path], None]:
    return with_file("config.json", content)


def _sparse(here: Path) -> None:
    """50 MB that take no space."""
    with (sound(here) / "config.json").open("r+b") as file:
        file.truncate(50_000_000)


BROKEN = (
    *(
        Case(f"{name} of negative {key}", with_config(model_type=name, **{key: -2}), CHECK, 3, (key, "it is -"))
        for name, key in (("convbert", "num_groups"), ("gemma", "head_dim"), ("funnel", "d_head"))
    ),
    Case(
        "layers beyond number outside the table",
        with_config(model_type="openai-gpt", n_layer=10_000, num_hidden_layers=...),
        INSPECT,
        3,
        ("10000", "from 1 to 1000"),
    ),
    Case("labels of no number", with_config(num_labels="x"), CHECK, 1, ("num_labels is 'x'",)),
    Case("labels of nothing", with_config(num_labels=None), INSPECT, 1, ("num_labels is 'None'",)),
    Case(
        "labels of no number, expected",
        with_config(num_labels=0),
        (*CHECK, "-e", "sequence-classification.logits=[1, 2]"),
        1,
        ("sequence-classification.logits", "got nothing", "num_labels is '0'"),
    ),
    Case("no positions where a table needs them", with_config(max_position_embeddings=-1), INSPECT, 3, ("-1",)),
    Case("config empty", _text(""), CHECK, 3, ("config.json is not valid JSON",)),
    Case("config of spaces", _text(" \n\t "), INSPECT, 3, ("config.json is not valid JSON",)),
    Case("config truncated", _text(_TEXT[:-20]), CHECK, 3, ("config.json is not valid JSON",)),
    Case("config not JSON", _text("model_type: bert\n"), INSPECT, 3, ("config.json is not valid JSON",)),
    Case("config an HTML page", _text("<!DOCTYPE html><p>404"), CHECK, 3, ("config.json is not valid JSON",)),
    Case("config an array", _text(f"[{_TEXT}]"), CHECK, 3, ("config.json is [", "expected a JSON object")),
    Case("config a string", _text('"bert"'), INSPECT, 3, ("expected a JSON object",)),
    Case("config null", _text("null"), CHECK, 3, ("config.json is None", "expected a JSON object")),
    Case("config twice", _text(_TEXT + _TEXT), CHECK, 3, ("not valid JSON", "Extra data")),
    Case("config with a comma too many", _text(_TEXT[:-1] + ",}"), CHECK, 3, ("not valid JSON",)),
    Case("config with a comment", _text("// mine\n" + _TEXT), INSPECT, 3, ("not valid JSON",)),
    Case("config with NaN", _text(_TEXT[:-1] + ', "dropout": NaN}'), CHECK, 3, ("NaN is not a JSON value",)),
    Case(
        "config with Infinity", _text(_TEXT[:-1] + ', "x": -Infinity}'), INSPECT, 3, ("Infinity is not a JSON value",)
    ),
    Case("config with 1e999", _text(_TEXT[:-1] + ', "x": 1e999}'), CHECK, 3, ("out of range",)),
    Case("config with 10,000 digits", _text(_TEXT[:-1] + f', "x": {"9" * 10000}}}'), CHECK, 3, ("out of range",)),
    Case("config with a key twice", _text('{"hidden_size": 8, ' + _TEXT[1:]), INSPECT, 3, ("'hidden_size' twice",)),
    Case("config with a key twice inside", _text(_TEXT[:-1] + ', "x": {"a": 1, "a": 2}}'), CHECK, 3, ("'a' twice",)),
    Case("config 100,000 arrays deep", _text("[" * 100_000), CHECK, 3, ("nested too deeply",)),
    Case("config 100,000 objects deep", _text('{"a":' * 100_000 + "1" + "}" * 100_000), INSPECT, 3, ("too deeply",)),
    Case("config 200 deep", _text('{"a":' + "[" * 200 + "]" * 200 + "}"), CHECK, 3, ("nested too deeply",)),
    Case("config of 50 MB", _sparse, CHECK, 3, ("50,000,000 bytes", "at most 8,000,000")),
    Case("config in UTF-16", _text(_TEXT.encode("utf-16")), CHECK, 3, ("config.json is not valid JSON",)),
    Case("config in Latin-1", _text(b'{"model_type": "b\xe9rt"}'), INSPECT, 3, ("not valid JSON", "0xe9")),
    Case("config with NUL bytes", _text(b"\0" * 100), CHECK, 3, ("not valid JSON",)),
    Case(
        "config with half a surrogate pair", _text('{"model_type": "\\ud800"}'), CHECK, 3, ("surrogates not allowed",)
    ),
    Case("config with a byte order mark", _text("\ufeff" + _TEXT), INSPECT, 3, ("byte order mark",)),
    Case("config with CRLF", _text(_TEXT.replace(",", ",\r\n")), INSPECT, 0, (), shape=(1, 4, 8)),
)


def _size(name: str, value: object, *words: str, command: tuple[str, ...] = CHECK) -> Case:
    said = json.dumps(value)
    return Case(f"config {name} {said[:30]}", with_config(**{name: value}), command, 3, words or (name, "expected"))


IMPOSSIBLE = (
    Case("config without model_type", with_config(model_type=...), CHECK, 1, ("has none", "read as bert")),
    Case("config with a number as model_type", with_config(model_type=7), INSPECT, 3, ("no model_type",)),
    Case("config with an empty model_type", with_config(model_type=""), CHECK, 3, ("no model_type",)),
    Case("config of an empty object", _text("{}"), INSPECT, 3, ("no model_type",)),
    Case(
        "config of an unknown family without hidden_size",
        with_config(model_type="nosuch", hidden_size=...),
        CHECK,
        3,
        ("lacks hidden_size",),
    ),
    _size("hidden_size", 0),
    _size("hidden_size", -8, command=INSPECT),
    _size("hidden_size", "8"),
    _size("hidden_size", 8.0, command=INSPECT),
    _size("hidden_size", 8.5),
    _size("hidden_size", True),
    _size("hidden_size", [8]),
    _size("hidden_size", {}, command=INSPECT),
    _size("hidden_size", 2**31),
    _size("hidden_size", 10**30, command=INSPECT),
    _size("hidden_size", "\x1b[31m" * 100),
    _size("num_hidden_layers", 0),
    _size("num_hidden_layers", -1, command=INSPECT),
    _size("num_hidden_layers", 10**9, "num_hidden_layers", "1000"),
    _size("num_hidden_layers", 1_001, "num_hidden_layers", "1000"),
    _size("num_hidden_layers", "2"),
    _size("num_attention_heads", 0),
    _size("num_attention_heads", -2, command=INSPECT),
    _size("num_attention_heads", "2"),
    _size("intermediate_size", 0, command=INSPECT),
    _size("intermediate_size", 1e30),
    _size("vocab_size", 0),
    _size("vocab_size", -1, command=INSPECT),
    _size("vocab_size", "12"),
    _size("max_position_embeddings", -2),
    _size("max_position_embeddings", "16", command=INSPECT),
    _size("type_vocab_size", -1),
    _size("type_vocab_size", "two"),
    Case("config of no positions", with_config(max_position_embeddings=0), INSPECT, 2, ("4 tokens",)),
    Case(
        "config of 3 heads for 8",
        with_config(num_attention_heads=3),
        CHECK,
        1,
        ("num_attention_heads", "says 3", "divisor of 8"),
    ),
    Case("config of another width", with_config(hidden_size=10), CHECK, 1, ("hidden_size",)),
    Case("config of more layers", with_config(num_hidden_layers=3), CHECK, 1, ("num_hidden_layers",)),
    Case("config of fewer layers", with_config(num_hidden_layers=1), CHECK, 1, ("num_hidden_layers",)),
    Case("config of a smaller vocabulary", with_config(vocab_size=6), INSPECT, 3, ("token", "vocab_size")),
    Case("config of the largest numbers", with_config(hidden_size=2**31 - 1), CHECK, 1, ("hidden_size",)),
    Case("config with a pad_token_id of text", with_config(pad_token_id="zero"), CHECK, 0, ("ok", "sound")),
    Case(
        "config with a huge pad_token_id",
        with_config(pad_token_id=10**12),
        CHECK,
        1,
        ("pad_token_id", "no embedding of 12"),
    ),
    Case("config with a negative pad_token_id", with_config(pad_token_id=-5), CHECK, 0, ("says -5", "disagree")),
    Case("config with a pad_token_id below all", with_config(pad_token_id=-13), CHECK, 1, ("says -13", "no embedding")),
    Case("config with architectures of numbers", with_config(architectures=[1, None]), INSPECT, 0, (), shape=(1, 4, 8)),
    Case("config with architectures as text", with_config(architectures="BertModel"), CHECK, 0, ("ok", "sound")),
    Case(
        "config with a dtype of nonsense", with_config(dtype="float7"), CHECK, 1, ("float7", "cannot load this folder")
    ),
    Case("config with labels of nonsense", with_config(id2label=["a", 1, None]), CHECK, 1, ("an object of a name",)),
    Case("config with auto_map", with_config(auto_map={"AutoModel": "evil--code.Model"}), CHECK, 0, ("ok", "sound")),
)
_FREE = "GB are free"


def _huge(name: str, *command: str, **values: object) -> Case:
    return Case(f"config of {name}, run", with_config(**values), command, 5, ("m/config.json describes", _FREE))


_RUNS = ("inspect", "a text", "--model", "m")
_WIDE = {"hidden_size": 10**7, "num_attention_heads": 10, "intermediate_size": 10**7}
HUGE = (
    _huge("10^7 dimensions", *_RUNS, **_WIDE),
    _huge("10^7 random dimensions", *_RUNS, "--weights", "random", **_WIDE),
    _huge("2^31 words", *CHECK, "--run", vocab_size=2**31 - 1, hidden_size=800),
    _huge("2^31 positions", *_RUNS, "--weights", "random", max_position_embeddings=2**31 - 1, hidden_size=800),
    _huge("2^31 types", *_RUNS, type_vocab_size=2**31 - 1, hidden_size=800),
    Case(
        "config of 10^7 dimensions, predicted",
        with_config(**_WIDE),
        INSPECT,
        1,
        ("hidden_size",),
        shape=(1, 4, 10**7),
    ),
)
_LABELS = (*INSPECT, "--task", "sequence-classification")


def _labels(name: str, *words: str, code: int = 1, **values: object) -> Case:
    return Case(f"config with {name}", with_config(**values), _LABELS, code, words or ("num_labels", "whole number"))


LABELS = (
    _labels("-1 labels", code=0, num_labels=-1),
    _labels("0 labels", code=0, num_labels=0),
    _labels("a billion labels", code=0, num_labels=10**9),
    _labels("a number of labels as text", num_labels="3"),
    _labels("half a label", num_labels=2.5),
    _labels("labels of a number", "id2label is '7'", id2label=7),
    _labels("labels as a list", "id2label is", "an object", id2label=["a", "b"]),
    _labels("labels of words", "id2label is", "an object", id2label={"a": "b"}),
    _labels("no label at all", "in id2label is '0'", code=0, id2label={}),
    _labels("fewer names than labels", "[1, 3]", "LABEL_2", code=0, id2label={"0": "a", "1": "b"}, num_labels=3),
    _labels("labels in disorder", "names no label 0, 2", id2label={"5": "b", "1": "a", "9": None}),
    _labels("labels of escapes", "\\x1b[31mred", "::error::", code=0, id2label={"0": "\x1b[31mred", "1": "::error::"}),
)
CASES = BROKEN + IMPOSSIBLE + HUGE + LABELS
