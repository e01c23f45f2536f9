"""Weight files for tests, true and false, and the form that every refusal of one has."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from bertshape.errors import CheckpointError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable


class Memory:
    """A byte source that remembers what was asked of it; the size may be a lie, as a server's may."""

    def __init__(self, data: bytes, name: str = "model.safetensors", size: int | None = None) -> None:
        self.name = name
        self.data = data
        self.size = len(data) if size is None else size
        self.calls: list[tuple[int, int]] = []

    def read(self, start: int, length: int) -> bytes:
        self.calls.append((start, length))
        return self.data[start : start + length]


def packed(header: str | bytes | dict[str, Any], data_size: int = 0) -> bytes:
    """A safetensors file with this header, true or not, and so many zeros behind it."""
    text = json.dumps(header) if isinstance(header, dict) else header
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw + bytes(data_size)


def tensor(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def refusal(read: Callable[[], object]) -> CheckpointError:
    """The error of a read that must fail, in the form that every error has."""
    with pytest.raises(CheckpointError) as caught:
        read()
    error = caught.value
    assert error.code.startswith("weights-")
    assert error.exit_code == ExitCode.CHECKPOINT
    assert error.hint
    assert "\n" not in error.message
    assert len(error.message) < 1000
    return error
