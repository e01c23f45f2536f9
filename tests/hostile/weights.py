"""Weight files that are damaged, foreign, contradictory or dangerous, seen through the command line."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hostile.case import Case
from tests.hostile.model import CHECK, INSPECT, shapes, sound, weights_of, with_file
from tests.support.weight_files import packed, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FILE, _INDEX, _PICKLE = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"
RAN = "the payload ran"
"""Name of the file that a pickle would make, if anybody ran its code."""


def _bytes(content: bytes) -> Callable[[Path], None]:
    return with_file(_FILE, content)


def _header(header: str | bytes | dict[str, Any], data: int = 0) -> Callable[[Path], None]:
    return _bytes(packed(header, data))


def _one(data: int = 8, **entry: object) -> Callable[[Path], None]:
    """A file of one tensor."""
    return _header({"a": tensor(**entry)}, data)


def _changed(**tensors: tuple[int, ...] | None) -> Callable[[Path], None]:
    """The sound weights with other shapes; None leaves a tensor out. `__` stands for a dot."""
    edited: dict[str, tuple[int, ...] | None] = {name.replace("__", "."): shape for name, shape in tensors.items()}
    merged = {**shapes(), **edited}
    return _bytes(weights_of({name: shape for name, shape in merged.items() if shape is not None}))


def _sharded(
    change: Callable[[dict[str, Any]], object] = bool, **files: Mapping[str, tuple[int, ...]] | None
) -> Callable[[Path], None]:
    """The sound checkpoint in two shards and an index; `one` and `two` give other contents, None no file."""

    def make(here: Path) -> None:
        folder = sound(here)
        (folder / _FILE).unlink()
        names = list(shapes())
        parts = {"one": names[:10], "two": names[10:]}
        index = {"metadata": {}, "weight_map": {name: f"{part}.safetensors" for part in parts for name in parts[part]}}
        change(index)
        (folder / _INDEX).write_text(json.dumps(index))
        for part, own in parts.items():
            content = files.get(part, {name: shapes()[name] for name in own})
            if content is not None:
                (folder / f"{part}.safetensors").write_bytes(weights_of(content))

    return make


def _map(**entries: object) -> Callable[[dict[str, Any]], object]:
    return lambda index: index["weight_map"].update(entries)


class _Payload:
    """Unpickling it makes a file."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path(RAN),)


PICKLE = pickle.dumps(_Payload(), 2)


def _pickled(content: bytes, name: str = _PICKLE) -> Callable[[Path], None]:
    def make(here: Path) -> None:
        folder = sound(here)
        (folder / _FILE).unlink()
        (folder / name).write_bytes(content)

    return make


def _payload_beside_safetensors(here: Path) -> None:
    (sound(here) / _PICKLE).write_bytes(PICKLE)


HEADERS = (
    Case("weights empty", _bytes(b""), CHECK, 1, ("model.safetensors is cut off", "0 bytes")),
    Case("weights of 8 zero bytes", _bytes(bytes(8)), INSPECT, 1, ("gives 0 bytes as the length",)),
    Case("weights of 8 bytes", _bytes(b"12345678"), CHECK, 1, ("length of its header",)),
    Case("header of 2^63 bytes", _bytes(struct.pack("<Q", 2**63)), CHECK, 1, ("9,223,372,036,854,775,808",)),
    Case("header of 2^63 - 1 bytes", _bytes(struct.pack("<Q", 2**63 - 1) + bytes(99)), INSPECT, 1, ("header",)),
    Case("header of 100 MB that is not there", _bytes(struct.pack("<Q", 10**8)), CHECK, 1, ("is cut off",)),
    Case("header cut", _bytes(packed({"a": tensor()})[:-9]), INSPECT, 1, ("is cut off",)),
    Case("header not UTF-8", _header(b'{"\xff": 1}'), CHECK, 1, ("not valid JSON",)),
    Case("header an array", _header("[1]"), INSPECT, 1, ("begins with",)),
    Case("header too deep", _header('{"a":' * 50_000), CHECK, 1, ("nested too deeply",)),
    Case("header with a tensor twice", _header('{"a": 1, "a": 2}'), CHECK, 1, ("'a' twice",)),
    Case("header with NaN", _header('{"a": NaN}'), INSPECT, 1, ("NaN is not a JSON value",)),
    Case("header of text", _header({"a": "float32"}), CHECK, 1, ("expected an object of dtype",)),
    Case("dtype unknown", _one(dtype="F33"), CHECK, 1, ("'F33'", "expected one of")),
    Case("dtype of escapes", _one(dtype="\x1b[31mF32"), INSPECT, 1, ("has dtype",)),
    Case("shape of text", _one(shape="2"), CHECK, 1, ("has shape",)),
    Case("shape below zero", _one(shape=[-2]), INSPECT, 1, ("[-2]",)),
    Case("shape beyond 64 bits", _one(shape=[2**40, 2**40]), CHECK, 1, ("64-bit",)),
    Case("offsets overlap", _header({"a": tensor(), "b": tensor(offsets=[4, 12])}, 12), CHECK, 1, ("overlaps",)),
    Case("offsets with a hole", _header({"a": tensor(offsets=[8, 16])}, 16), INSPECT, 1, ("hole",)),
    Case("offsets turned round", _one(offsets=[8, 0]), CHECK, 1, ("[8, 0]",)),
    Case("offsets beyond 64 bits", _one(offsets=[0, 2**65]), CHECK, 1, ("data_offsets",)),
    Case("offsets beyond the file", _one(4), INSPECT, 1, ("is cut off",)),
    Case("bytes after the data", _one(9), CHECK, 1, ("its header promises",)),
    Case("a Git LFS pointer", _bytes(b"version https://git-lfs.github.com/spec/v1\n"), INSPECT, 1, ("git lfs pull",)),
    Case("a zip archive", _bytes(b"PK\x03\x04" + bytes(60)), CHECK, 1, ("a zip archive",)),
    Case("an error page", _bytes(b"<!DOCTYPE html><html>404</html>"), CHECK, 1, ("HTML",)),
    Case("a header of a million spaces", _header("{" + " " * 10**6 + "}"), CHECK, 1, ("tensor",)),
)
TENSORS = (
    Case("no tensor at all", _bytes(weights_of({})), CHECK, 1, ("tensor",)),
    Case("a tensor of no name", _header({"": tensor()}, 8), CHECK, 1, ("tensor",)),
    Case(
        "an embedding of another width",
        _changed(embeddings__word_embeddings__weight=(12, 9)),
        CHECK,
        1,
        ("word_embeddings.weight", "12", "9"),
    ),
    Case("a scalar for a matrix", _changed(pooler__dense__weight=()), CHECK, 1, ("pooler.dense.weight",)),
    Case(
        "an embedding of 2^40 rows of nothing",
        _changed(embeddings__word_embeddings__weight=(2**40, 0)),
        CHECK,
        1,
        ("weights hold 1099511627776",),
    ),
    Case(
        "a tensor of five axes",
        _changed(embeddings__word_embeddings__weight=(1, 1, 1, 12, 8)),
        INSPECT,
        1,
        ("word_embeddings",),
    ),
    Case("a layer of nothing", _changed(encoder__layer__0__output__dense__weight=(0, 20)), CHECK, 1, ("output.dense",)),
    Case("an embedding left out", _changed(embeddings__word_embeddings__weight=None), CHECK, 1, ("word_embeddings",)),
    Case("names of another family", _bytes(weights_of({"transformer.h.0.attn": (8, 8)})), CHECK, 1, ("tensor",)),
    Case(
        "a layer number that is a power",
        _changed(**{"encoder__layer__\N{SUPERSCRIPT TWO}__x": (1,)}),
        CHECK,
        1,
        ("hold 1 backbone tensor",),
    ),
    Case(
        "a layer number of 5,000 digits",
        _changed(**{"encoder__layer__" + "9" * 5000 + "__x": (1,)}),
        CHECK,
        1,
        ("hold 1 backbone tensor",),
    ),
    Case(
        "a layer number of 30 digits", _changed(**{"encoder__layer__" + "9" * 30 + "__x": (1,)}), CHECK, 1, ("99999",)
    ),
)
SHARDS = (
    Case("shards sound", _sharded(), CHECK, 0, ("ok", "sound")),
    Case("shard missing", _sharded(two=None), CHECK, 1, ("1 of 2 weight files are missing",)),
    Case("all shards missing", _sharded(one=None, two=None), INSPECT, 1, ("2 of 2 weight files are missing",)),
    Case("tensors doubled in two shards", _sharded(one=shapes()), CHECK, 1, ("is stored twice",)),
    Case("tensors not in the shard named", _sharded(two={}), INSPECT, 1, ("which does not store it",)),
    Case("shard above the folder", _sharded(_map(a="../../etc/passwd")), CHECK, 1, ("inside the checkpoint",)),
    Case("shard at the root", _sharded(_map(a="/etc/passwd")), CHECK, 1, ("inside the checkpoint",)),
    Case("shard on a drive of Windows", _sharded(_map(a="C:\\x")), INSPECT, 1, ("inside the checkpoint",)),
    Case("shard of no name", _sharded(_map(a="")), CHECK, 1, ("inside the checkpoint",)),
    Case("shard with NUL in its name", _sharded(_map(a="a\0b")), CHECK, 1, ("inside the checkpoint",)),
    Case("shard of a number", _sharded(_map(a=3)), INSPECT, 1, ("expected a file name",)),
    Case("shard is the folder", _sharded(_map(a=".")), CHECK, 1, ()),
    Case("index of no map", _sharded(lambda index: index.pop("weight_map")), CHECK, 1, ("weight_map",)),
    Case("index of an empty map", _sharded(lambda index: index.update(weight_map={})), CHECK, 1, ("weight_map",)),
    Case("index of a list", _sharded(lambda index: index.update(weight_map=[1])), INSPECT, 1, ("weight_map",)),
    Case("no weights at all", with_file(_FILE, None), CHECK, 1, ("no weight",)),
    Case("no weights to run", with_file(_FILE, None), ("inspect", "x", "--model", "m"), 3, ("weights",)),
)
_TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuK\1tQ"
    b"K\0K\1\x85K\1\x85\x89}tR"
)


def _beside_a_tensor(call: bytes) -> bytes:
    """A pickle of a dict with a tensor, and with what a call makes."""
    return b"\x80\x02}(X\1\0\0\0a" + _TENSOR + b"X\1\0\0\0b" + call + b"u."


_GREEDY = _beside_a_tensor(b"cbuiltins\nbytearray\n\x8a\x05" + (20 * 10**9).to_bytes(5, "little") + b"\x85R")
"""Asks torch for 20 GB."""
_NAMED = b"\x80\x02ctorch\nFloatTensor\n\x8a\x08" + (10**13).to_bytes(8, "little") + b"\x85Rh\x07."
"""Asks torch for a tensor; then it takes up what it never put down, so that it is not followed without torch."""


def _archived(content: bytes, compression: int = zipfile.ZIP_STORED) -> Callable[[Path], None]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as file:
        file.writestr("archive/data.pkl", content)
        file.writestr("archive/version", "3\n")
    return _pickled(archive.getvalue())


_RUN = ("inspect", "a text", "--model", "m")
PICKLES = (
    Case("pickle that asks for 20 GB", _pickled(_GREEDY), _RUN, 3, ("pytorch_model.bin", "makes a bytearray")),
    Case("pickle that asks for 20 GB, in an archive", _archived(_GREEDY), _RUN, 3, ("makes a bytearray",)),
    Case(
        "pickle that grows", _archived(b"0" * 10**7, zipfile.ZIP_DEFLATED), (*CHECK, "--run"), 3, ("expand to 10,000",)
    ),
    Case("pickle of a tensor that no memory holds", _pickled(_NAMED), _RUN, 5, ("while the weights of m are loaded",)),
    Case("pickle that runs code", _pickled(PICKLE), _RUN, 1, ("holds an object", "pytorch_model.bin"), json=False),
    Case("pickle that runs code, predicted", _pickled(PICKLE), INSPECT, 1, ("holds an object",), shape=(1, 4, 8)),
    Case("pickle that runs code, checked", _pickled(PICKLE), CHECK, 1, ("holds an object",)),
    Case(
        "pickle that runs code, values checked",
        _pickled(PICKLE),
        (*CHECK, "--values"),
        1,
        ("holds an object",),
    ),
    Case("pickle beside safetensors", _payload_beside_safetensors, CHECK, 0, ("ok", "sound")),
    Case("pickle empty", _pickled(b""), _RUN, 1, ("pytorch_model.bin is empty",), json=False),
    Case("pickle cut", _pickled(pickle.dumps({"a": 1}, 2)[:-3]), _RUN, 3, ("m", "hint"), json=False),
)
CASES = HEADERS + TENSORS + SHARDS + PICKLES
