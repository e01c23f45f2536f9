"""Header checks against the safetensors library: the same files accepted, the same refused, the same read."""

from __future__ import annotations

import json
import re

import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from bertshape.checkpoint.safetensors import read_header
from bertshape.checkpoint.tensors import DTYPES
from bertshape.errors import CheckpointError
from tests.support.weight_files import Memory, packed

Seen = dict[str, tuple[str, tuple[int, ...]]]


def library(data: bytes) -> Seen | None:
    """What the library reads, or None where it refuses."""
    try:
        tensors = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError:
        return None
    return {name: (DTYPES[info["dtype"]][0], tuple(info["shape"])) for name, info in tensors}


def ours(data: bytes) -> Seen | CheckpointError:
    """What we read, or the error; any other exception fails the test."""
    try:
        return {name: (info.dtype, info.shape) for name, info in read_header(Memory(data)).tensors.items()}
    except CheckpointError as error:
        return error


def stricter(code: str, data: bytes) -> bool:
    """Where we refuse on purpose what the library takes; `test_where_we_are_stricter` has an example of each."""
    return (
        # Of two values for a key the library takes the last; the format disallows duplicate keys.
        code == "weights-header-duplicate"
        # The format has the header begin with a brace; the library skips whitespace.
        or data[8:9].isspace()
        # A dtype is a string; the library's parser also takes an object, by accident.
        or (code == "weights-tensor-dtype" and re.search(rb'\{"\w+":null\}', data) is not None)
    )


def check_agreement(data: bytes) -> None:
    expected, actual = library(data), ours(data)
    if isinstance(actual, CheckpointError):
        assert expected is None or stricter(actual.code, data), f"{actual.code}, but the library accepts {data!r}"
    else:
        assert actual == expected, f"library: {expected}, ours: {actual}, file: {data!r}"


def tiny_bert() -> bytes:
    config = BertConfig(vocab_size=3, hidden_size=2, num_hidden_layers=1, num_attention_heads=1, intermediate_size=2)
    return safetensors.torch.save(BertModel(config).state_dict(), metadata={"format": "pt"})


def every_dtype() -> bytes:
    """A full and an empty tensor of each dtype, the 4-bit and 6-bit ones included."""
    header: dict[str, object] = {"__metadata__": {"é": "\u0000"}}
    end = 0
    for dtype, (_, bits) in DTYPES.items():
        for shape, elements in (([4], 4), ([0, 9], 0)):
            size = elements * bits // 8
            header[f"{dtype} {elements}"] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
            end += size
    return packed(json.dumps(header).encode(), end)


VALID = {
    "tiny bert": tiny_bert(),
    "every dtype": every_dtype(),
    "one tensor": safetensors.torch.save({"a": torch.zeros(2, 1)}),
    "two tensors": safetensors.torch.save({"a": torch.zeros(2, 1), "b": torch.zeros(2)}),
    "empty tensor named last": packed(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 8
    ),
    "no tensor": safetensors.torch.save({}),
    "no metadata": packed(b'{"__metadata__":null} \n'),
}
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|\w+|\s+|.', re.DOTALL)
NUMBERS = (
    b"0 -0 1 -1 2 4 8 12 01 1.0 8e0 1e999 1e-999 +1 .5 9223372036854775808 18446744073709551615 18446744073709551616"
)
WORDS = rb"""null true false NaN Infinity -Infinity "" "F32" "F4" "F6_E2M3" "U8" "a" "dtype" "__metadata__" "\ud800"
    "\udc00\ud800" "\ud83d\ude00" "\u0000" "\x" [] {} [ ] { } : , /**/ [0] [0,0] [0,0,0] [18446744073709551616]"""
NO_TEXT = [b'"\n"', b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf", b"\xc3\xa9", b"\x00", b"\x0b", b" ", b"\t"]
LARGE = [b"9" * 400, b"1" + b"0" * 30, b"[" * 3000, *(b"[" * depth + b"]" * depth for depth in (124, 125, 126, 127))]
NASTY = [*NUMBERS.split(), *WORDS.split(), *NO_TEXT, *LARGE, b'{"x":' * 124 + b"[]" + b"}" * 124]
"""What JSON parsers differ about, and what a header may not have in most places."""


@st.composite
def damaged_headers(draw: st.DrawFn) -> bytes:
    """A valid file with some tokens of its header replaced, removed, doubled or swapped, or with keys added."""
    whole = VALID[draw(st.sampled_from(sorted(VALID)))]
    end = 8 + int.from_bytes(whole[:8], "little")
    tokens = TOKEN.findall(whole[8:end])
    for _ in range(draw(st.integers(1, 3))):
        # What keeps the JSON sound comes most often: such headers get past the parser.
        change = draw(st.sampled_from(["number", "number", "number", "key", "key", "any", "remove", "double", "swap"]))
        wanted = {"number": rb"\d", "key": rb"}"}.get(change, b"")
        places = [place for place, token in enumerate(tokens) if re.match(wanted, token)] or [0]
        place, other = draw(st.sampled_from(places)), draw(st.sampled_from(places))
        nasty = draw(st.sampled_from(NUMBERS.split() if change == "number" else NASTY))
        match change:
            case "number" | "any":
                tokens[place] = nasty
            case "key":
                tokens.insert(place, b',"x":' + nasty)
            case "double":
                tokens.insert(place, tokens[place])
            case "swap":
                tokens[place], tokens[other] = tokens[other], tokens[place]
            case "remove" if len(tokens) > 1:
                del tokens[place]
    return packed(b"".join(tokens), max(0, len(whole) - end + draw(st.sampled_from([0, 0, 0, 1, -1, 8, -8]))))


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A valid file with bytes overwritten, inserted or cut anywhere, its length field included."""
    data = bytearray(VALID[draw(st.sampled_from(sorted(VALID)))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@pytest.mark.parametrize("name", VALID)
def test_valid_files_are_accepted_by_both(name: str) -> None:
    """Mutations start from these; were they refused, every property below would hold for nothing."""
    assert library(VALID[name]) is not None
    assert ours(VALID[name]) == library(VALID[name])


@settings(max_examples=600, deadline=None)
@given(damaged_headers())
def test_damaged_headers(data: bytes) -> None:
    check_agreement(data)


@settings(max_examples=300, deadline=None)
@given(damaged_files())
def test_damaged_files(data: bytes) -> None:
    check_agreement(data)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.builds(packed, st.binary(), st.integers(0, 8))))
def test_random_bytes(data: bytes) -> None:
    check_agreement(data)


@pytest.mark.parametrize("place", ["%s", '"%s"', "[%s]", "[0,%s]", '{"x":%s}', '{"F32":%s}', '{"a":1,"a":%s}'])
@pytest.mark.parametrize("key", ["dtype", "shape", "data_offsets", "x"])
def test_nasty_values_in_every_place(place: str, key: str) -> None:
    """Each value as each field of a tensor, and as a key that readers ignore."""
    for nasty in NASTY:
        fields = {"dtype": b'"F32"', "shape": b"[0,1]", "data_offsets": b"[0,0]"}
        fields[key] = place.encode() % nasty
        entry = b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items())
        check_agreement(packed(b'{"a":{%s}}' % entry))


@pytest.mark.parametrize(
    "header", ['{"__metadata__":%s}', '{"__metadata__":{"a":%s}}', '{"a":%s}', '{%s:"a"}', "{%s:{}}", "{}%s", "%s{}"]
)
def test_nasty_values_around_the_tensors(header: str) -> None:
    for nasty in NASTY:
        check_agreement(packed(header.encode() % nasty))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ('{"a":["F32",[0],[0,0]]}', "weights-tensor-entry"),
        ('{"a":{"dtype":{"F32":null},"shape":[0],"data_offsets":[0,0]}}', "weights-tensor-dtype"),
        (' {"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}', "weights-header-json"),
        ('{"__metadata__":{"a":"1","a":"2"}}', "weights-header-duplicate"),
        ('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1,"x":1}}', "weights-header-duplicate"),
    ],
)
def test_where_we_are_stricter(header: str, code: str) -> None:
    """The library's parser takes these by accident of its implementation; the format does not describe them."""
    data = packed(header.encode())
    assert library(data) is not None
    error = ours(data)
    assert isinstance(error, CheckpointError)
    assert error.code == code


TORCH_DTYPES = [getattr(torch, name) for name, bits in DTYPES.values() if bits >= 8]
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda name: name != "__metadata__")


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        NAMES, st.tuples(st.sampled_from(TORCH_DTYPES), st.lists(st.integers(0, 4), max_size=4)), max_size=6
    ),
    st.none() | st.dictionaries(NAMES, NAMES, max_size=3),
)
def test_files_that_the_library_writes(
    tensors: dict[str, tuple[torch.dtype, list[int]]], metadata: dict[str, str] | None
) -> None:
    if not tensors:
        metadata = metadata or None  # of neither, safetensors 0.8.0 writes `{},"__metadata__":{}}`, and refuses it
    data = safetensors.torch.save(
        {name: torch.zeros(shape, dtype=dtype) for name, (dtype, shape) in tensors.items()}, metadata=metadata
    )
    header = read_header(Memory(data))
    assert {name: (info.dtype, list(info.shape)) for name, info in header.tensors.items()} == {
        name: (str(dtype).removeprefix("torch."), shape) for name, (dtype, shape) in tensors.items()
    }
    for name, info in header.tensors.items():
        dtype, shape = tensors[name]
        assert info.bytes == torch.zeros(shape, dtype=dtype).nbytes
    assert header.metadata == (metadata or {})
    assert header.bytes_read == len(data) - sum(info.bytes for info in header.tensors.values())
