"""What is read of the files of torch.save: all names, shapes and dtypes, and nothing is run for it."""

from __future__ import annotations

import collections
import os
import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertshape.checkpoint.pickled_tensors import read_pickled
from bertshape.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

STATE = {
    "a.weight": torch.zeros(3, 4),
    "a.bias": torch.zeros(3, dtype=torch.bfloat16),
    "scalar": torch.tensor(1),
    "half": torch.zeros(2, 1, 5, dtype=torch.float16),
    "parameter": torch.nn.Parameter(torch.zeros(2, 2, dtype=torch.float64)),
    "part": torch.zeros(6, 6)[1:3, ::2],
    "flags": torch.zeros(4, dtype=torch.bool),
    "eight": torch.zeros(4, dtype=torch.float8_e4m3fn),
}
WAYS: dict[str, dict[str, Any]] = {
    "zip": {},
    "before torch 1.6": {"_use_new_zipfile_serialization": False},
    "protocol 4": {"pickle_protocol": 4},
    "protocol 5": {"pickle_protocol": 5},
}


def shapes(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    read = read_pickled(path, path.name)
    assert read is not None
    return {name: (row.dtype, row.shape) for name, row in read.tensors.items()}


def as_torch_loads(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    loaded = torch.load(path, weights_only=False)
    return {name: (str(row.dtype).removeprefix("torch."), tuple(row.shape)) for name, row in loaded.items()}


@pytest.mark.parametrize("way", WAYS)
def test_names_shapes_and_dtypes_are_those_that_torch_loads(way: str, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    # The oldest form knows no float8.
    state = {name: row for name, row in STATE.items() if name != "eight" or way != "before torch 1.6"}
    torch.save(collections.OrderedDict(state), path, **WAYS[way])
    assert shapes(path) == as_torch_loads(path)
    assert len(shapes(path)) == len(state)


@pytest.mark.parametrize("key", ["state_dict", "model_dict", "model", "model_state_dict", "anything"])
def test_a_dict_inside_is_named(key: str, tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    more = {"epoch": 3, "optimizer": optimizer.state_dict(), "hyper_parameters": {"lr": 0.1, "names": ("a", None)}}
    torch.save(more | {key: STATE}, path)
    read = read_pickled(path, path.name)
    assert read is not None
    assert (read.inside, set(read.tensors)) == (key, set(STATE))


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "made"),)

    path = tmp_path / "pytorch_model.bin"
    for content in ({"a": Bomb()}, Bomb(), {"a": torch.zeros(2), "b": Bomb()}):
        torch.save(content, path)
        with suppress(CheckpointError):
            read_pickled(path, path.name)
        assert not (tmp_path / "made").exists()


def test_a_whole_model_is_named_by_its_class(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save(torch.nn.Linear(2, 3), path)
    with pytest.raises(CheckpointError, match=r"an object \(torch\.nn\.modules\.linear\.Linear"):
        read_pickled(path, path.name)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "weights-not-pickle"),
        (b"<!doctype html>", "weights-not-pickle"),
        (b"hello", "weights-not-pickle"),
        (b"PK\x03\x04 and no more", "weights-file-truncated"),
        (pickle.dumps({"lr": 1}), "weights-without-tensors"),
    ],
)
def test_what_holds_no_weights_says_so(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_pickled(path, path.name)
    assert caught.value.code == code


@settings(max_examples=150)
@given(st.data())
def test_damage_gives_no_other_error_than_ours(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("damage") / "it.bin"
    torch.save({"a": torch.zeros(2, 3)}, path, _use_new_zipfile_serialization=data.draw(st.booleans()))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with suppress(CheckpointError):
        read_pickled(path, path.name)
