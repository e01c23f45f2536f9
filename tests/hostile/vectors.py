"""Files of vectors, as `which` reads them, that are broken, or claim what they do not hold."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy
from numpy.lib import format as npy

from tests.hostile.case import Case
from tests.hostile.model import sound
from tests.hostile.weights import PICKLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LINES = '{"vector": [1, 2]}\n'


def _array(shape: tuple[int, ...], data: bytes = b"", descr: object = "<f4") -> bytes:
    """A .npy file whose header says anything."""
    file = io.BytesIO()
    npy.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + data


def _saved(value: Any) -> bytes:
    file = io.BytesIO()
    numpy.save(file, value)
    return file.getvalue()


def _archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _damaged() -> bytes:
    """An archive whose compressed bytes are none."""
    content = bytearray(_archive({"a.npy": _saved(numpy.ones((3, 8)))}, zipfile.ZIP_DEFLATED))
    content[60:90] = b"\xff" * 30
    return bytes(content)


def _which(name: str, content: bytes | str | None, *words: str, make: Callable[[Path], None] | None = None) -> Case:
    def put(here: Path) -> None:
        sound(here)
        (here / "texts").write_text("a text\ntwo words\na\n")
        if make is not None:
            make(here / name)
        elif content is not None:
            (here / name).write_bytes(content.encode() if isinstance(content, str) else content)

    shown = f"vectors in {name}, {words[-1] if words else ''}"
    return Case(shown, put, ("which", name, "--texts", "texts", "-m", "m"), 2, (name, *words))


_OBJECTS = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }".ljust(117) + b"\n"
CASES = (
    _which("v.npy", b"", "No data left"),
    _which("v.npy", b"\x93NUM", "cannot read vectors"),
    _which("v.npy", PICKLE, "pickled"),
    _which("v.npy", _OBJECTS + PICKLE, "Python objects"),
    _which("v.npy", _array((10**12, 8), bytes(96)), "greater than file size"),
    _which("v.npy", _array((3, 10**12)), "mmap length"),
    _which("v.npy", _array((-3, 8), bytes(96)), "negative dimensions"),
    _which("v.npy", _array((3, 0)), "shape [3, 0]"),
    _which("v.npy", _array((0, 8)), "shape [0, 8]"),
    _which("v.npy", _array((), bytes(4)), "shape []"),
    _which("v.npy", _array((3, 8), bytes(192), "<c8"), "complex64"),
    _which("v.npy", _array((3, 8), bytes(192), "<M8[ns]"), "datetime64"),
    _which("v.npy", _saved(numpy.full((3, 8), 1e308)), "NaN or infinity"),
    _which("v.npy", _array((4, 8), b"\1" * 128), "4 vectors"),
    _which("v.npy", None, "it is no regular file", make=os.mkfifo),
    _which("v.npy", None, "no regular file", make=os.mkdir),
    _which("v.npz", b"PK\x03\x04" + bytes(60), "not a zip file"),
    _which("v.npz", _damaged(), "cannot read"),
    _which("v.npz", _archive({}), "no column of vectors"),
    _which("v.npz", _archive({"readme.txt": b"text"}), "has no column"),
    _which("v.npz", _archive({"a.npy": b"text"}), "magic string"),
    _which("v.npz", _archive({"a.npy": _OBJECTS + PICKLE}), "a.npy holds Python objects"),
    _which("v.npz", _archive({"a.npy": _array((5 * 10**8, 8), bytes(96))}), "a.npy has 96 bytes"),
    _which("v.npz", _archive({"a.npy": _array((10**7, 8), bytes(10**7))}, zipfile.ZIP_DEFLATED), "expand to 10,000"),
    _which("v.npz", _archive({"a.npy": _array((3, 8), bytes(96)), "b.npy": _array((3, 8), bytes(96))}), "2 columns"),
    _which("v.jsonl", '{"vector":' + "[" * 100_000 + "\n", "no JSON"),
    _which("v.jsonl", _LINES + '{"vector": "x"}\n', "no column 'vector'"),
    _which("v.jsonl", _LINES + '{"vector": []}\n', "not vectors of one size"),
    _which("v.jsonl", '{"vector": [1, "a"]}\n' * 3, "no number"),
    _which("v.jsonl", '{"vector": [1e999, 1]}\n' * 3, "NaN or infinity (3"),
    _which("v.jsonl", '{"vector": [[1], [2]]}\n' * 3, "expected one row per text"),
    _which("v.csv", "1,2\n1\n3,4\n", "columns"),
    _which("v.csv", b"\xff\xfe\n", "codec"),
    _which("v.parquet", b"PAR1" + bytes(40) + b"PAR1", "cannot read vectors from v.parquet"),
    _which("v.arrow", b"ARROW1\0\0" + b"\xff" * 40, "cannot read vectors from v.arrow"),
    _which("v.safetensors", (2**62).to_bytes(8, "little"), "header"),
    _which("v.pkl", PICKLE, "names no format"),
    _which("nowhere.npy", None, "No such file"),
)
