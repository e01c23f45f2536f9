"""Many thousand mutations of sound inputs, and of those that once broke a reader, through every reader."""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import (
    TARGETS,
    checkpoint,
    config,
    contract,
    expectation,
    header,
    modules,
    pooling,
    records,
    tokenizer,
    tokenizer_files,
)
from tests.support.weight_files import packed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow
_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "800"))
many = settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
# Values that programs stumble over, wherever they stand.
_NASTY: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    10**30,
    0.5,
    1e308,
    "",
    "0",
    "x",
    "\x1b[m",
    [],
    {},
]
_NASTY += [[[]], [0], [-1, 2**40], {"a": {}}, "a" * 300, "\u202e", "\U0001f600", ["mean"], [None], "encoder.layer.0."]


def mutated(seed: bytes, draw: st.DrawFn) -> bytes:
    """A few pieces of bytes cut out, doubled or put in."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 12)))
        piece = draw(
            st.binary(max_size=6) | st.sampled_from([b"[", b"{", b'"', b",", b"\\", b"\0", b"=", b"@", b"9" * 20])
        )
        data[at:end] = draw(st.sampled_from([piece, bytes(data[at:end]) * 2, b""]))
    return bytes(data)


@st.composite
def spoiled(draw: st.DrawFn, target: str) -> bytes:
    """A seed with a few bytes changed."""
    return mutated(draw(st.sampled_from(SEEDS[target])), draw)


@st.composite
def edited(draw: st.DrawFn, target: str) -> bytes:
    """A seed that is JSON, with other values at a few of its places."""
    document = json.loads(draw(st.sampled_from(SEEDS[target])))
    return json.dumps(_edit(document, draw)).encode()


def _edit(document: Any, draw: st.DrawFn) -> Any:
    for _ in range(draw(st.integers(1, 3))):
        inside, place = document, draw(st.sampled_from(_places(document)))
        for key in place[:-1]:
            inside = inside[key] if isinstance(inside, dict | list) and _has(inside, key) else {}
        value = copy.deepcopy(draw(st.sampled_from(_NASTY) | st.integers(-3, 70)))
        if isinstance(inside, dict) and draw(st.integers(0, 4)) == 0:
            inside.pop(place[-1], None)
        elif isinstance(inside, dict) or (isinstance(inside, list) and _has(inside, place[-1])):
            inside[place[-1]] = value
    return document


def _has(inside: Any, key: Any) -> bool:
    return key in inside if isinstance(inside, dict) else isinstance(key, int) and key < len(inside)


def _places(document: Any, *above: Any) -> list[tuple[Any, ...]]:
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    places = []
    for key, value in pairs:
        places.append((*above, key))
        if isinstance(value, dict | list):
            places += _places(value, *above, key)
    return places


@st.composite
def edited_header(draw: st.DrawFn) -> bytes:
    """A weight file whose header has other values; its length is right, so that the rest is looked at."""
    seed = draw(st.sampled_from(SEEDS["header"][:2]))
    length = int.from_bytes(seed[:8], "little")
    document = _edit(json.loads(seed[8 : 8 + length]), draw)
    return packed(document) + seed[8 + length :]


@many
@given(spoiled("header") | edited_header() | st.binary(max_size=60) | st.binary(max_size=60).map(packed))
@example(packed('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\ud800":1}'))
@example(packed('{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}'))
def test_header(data: bytes) -> None:
    header(data)


@many
@given(edited("config") | spoiled("config") | st.binary(max_size=60))
def test_config(data: bytes) -> None:
    config(data)


_SIGNS = st.text(st.sampled_from("=<>![](){}.,_-+*:@0123456789 \nabhidensz\0\ud800é"), max_size=30)


@many
@given(spoiled("expectation") | st.binary(max_size=30) | _SIGNS.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_expectation(data: bytes) -> None:
    expectation(data)


@many
@given(spoiled("contract") | st.binary(max_size=60))
def test_contract(data: bytes) -> None:
    contract(data)


@many
@given(spoiled("records") | st.binary(max_size=60))
def test_records(data: bytes) -> None:
    records(data)


@many
@given(spoiled("pooling") | st.binary(max_size=30) | _SIGNS.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_pooling(data: bytes) -> None:
    pooling(data)


@settings(many, max_examples=_EXAMPLES // 2)
@given(edited("tokenizer") | spoiled("tokenizer"))
def test_tokenizer(data: bytes) -> None:
    tokenizer(data)


@settings(many, max_examples=_EXAMPLES // 5)
@given(edited("tokenizer_files"))
def test_tokenizer_files(data: bytes) -> None:
    tokenizer_files(data)


@settings(many, max_examples=_EXAMPLES // 5)
@given(edited("modules") | spoiled("modules"))
def test_modules(data: bytes) -> None:
    modules(data)


@settings(many, max_examples=_EXAMPLES // 5)
@given(edited("checkpoint"))
def test_checkpoint(data: bytes) -> None:
    checkpoint(data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    """Each is read: a seed that is refused at once leads nowhere."""
    for seed in SEEDS[name]:
        TARGETS[name](seed)


def broken(_: bytes) -> None:
    raise ValueError("a reader's own slip")


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_targets_can_fail(monkeypatch: pytest.MonkeyPatch, target: Callable[[bytes], None]) -> None:
    """Any error but those for people comes out of a target."""
    for name in ("read_header", "parse_object", "parse_expectation", "read_contract", "read_stream", "select", "run"):
        monkeypatch.setattr(f"tests.fuzz.targets.{name}", lambda *_, **__: broken(b""))
    monkeypatch.setattr("tests.fuzz.targets.load_tokenizer", lambda *_, **__: broken(b""))
    with pytest.raises(ValueError, match="slip"):
        target(b"{}")
