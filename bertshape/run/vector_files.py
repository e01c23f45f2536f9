"""Vectors of many texts into a file, some at a time: memory does not grow with their number."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy
import torch

from bertshape.files import is_replaced, output_errors, written_whole
from bertshape.run.arrays import ABOUT, as_numpy, column_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bertshape.corpus.text_file import Record
    from bertshape.run.request import Saving

_SAFETENSORS_DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
_COPIED = 16 * 2**20


class VectorFile(Protocol):
    """A file that takes vectors in the order of their texts."""

    def write(self, records: Sequence[Record], vectors: Mapping[str, torch.Tensor]) -> None:
        """Take the vectors of some more texts.

        Args:
            records: The texts.
            vectors: By the name of the array. Shape of each: (number of texts, size of the vector).
        """

    def finish(self) -> None:
        """Write what can only be written when all is known."""


@contextmanager
def open_vectors(saving: Saving) -> Iterator[VectorFile]:
    """A file of the format that its ending names; it takes its place when the block ends, and not where it fails.

    Args:
        saving: The file, and what it says of itself.

    Raises:
        OutputError: It cannot be written.
    """
    with written_whole(saving.path) as file, ExitStack() as stack:
        sink: VectorFile
        suffix = saving.path.suffix
        if suffix in (".parquet", ".arrow"):
            sink = table_module().Table(file, saving, stack)
        elif suffix == ".jsonl":
            sink = _Lines(file)
        else:
            sink = _Arrays(file, saving, stack)
        yield sink
        sink.finish()


def table_module() -> Any:
    """What writes and reads tables; pyarrow is an extra, and takes 0.2 s to import."""
    from bertshape.run import vector_tables

    return vector_tables


class _Lines:
    """JSON lines: an object for each text, with its id, or its line where it has none."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, records: Sequence[Record], vectors: Mapping[str, torch.Tensor]) -> None:
        names = dict(zip(vectors, column_names(list(vectors)), strict=True))
        arrays = {names[name]: as_numpy(value, wide=True) for name, value in vectors.items()}
        for index, record in enumerate(records):
            line: dict[str, object] = {"id": record.line if record.id is None else record.id, "text": record.text}
            if record.pair is not None:
                line["pair"] = record.pair
            # JSON has no NaN.
            line |= {
                name: [number if math.isfinite(number) else None for number in values[index].tolist()]
                for name, values in arrays.items()
            }
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def finish(self) -> None:
        """Nothing is left."""


class _Arrays:
    """safetensors, npy and npz: headers that hold the number of texts stand first, so the numbers wait in files."""

    def __init__(self, file: BinaryIO, saving: Saving, stack: ExitStack) -> None:
        self._file, self._saving, self._stack = file, saving, stack
        self._spools: dict[str, BinaryIO] = {}
        self._texts = 0
        self._like: dict[str, torch.Tensor] = {}

    def write(self, records: Sequence[Record], vectors: Mapping[str, torch.Tensor]) -> None:
        self._texts += len(records)
        with output_errors(self._saving.path):
            for name, given in vectors.items():
                value = given if self._saving.path.suffix == ".safetensors" else torch.from_numpy(as_numpy(given))
                if name not in self._spools:
                    self._spools[name] = self._spool()
                    self._like[name] = value[:0].clone()
                self._spools[name].write(value.contiguous().view(torch.uint8).numpy().data)

    def finish(self) -> None:
        with output_errors(self._saving.path):
            {".npy": self._npy, ".npz": self._npz}.get(self._saving.path.suffix, self._safetensors)()

    def _spool(self) -> BinaryIO:
        """A file without a name, on the disk of the result; it is gone however the run ends."""
        path = self._saving.path
        folder: Path | None = path.resolve().parent if is_replaced(path) or not path.exists() else None
        return self._stack.enter_context(tempfile.TemporaryFile(dir=folder))

    def _copy(self, name: str, file: Any) -> None:
        spool = self._spools[name]
        spool.seek(0)
        shutil.copyfileobj(spool, file, _COPIED)

    def _header(self, name: str, file: Any) -> None:
        like = self._like[name]
        shape = (self._texts, *like.shape[1:])
        descr = numpy.lib.format.dtype_to_descr(like.numpy().dtype)
        numpy.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})

    def _npy(self) -> None:
        (name,) = self._spools
        self._header(name, self._file)
        self._copy(name, self._file)

    def _npz(self) -> None:
        with zipfile.ZipFile(self._file, "w") as archive:
            for name in self._spools:
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    self._header(name, member)
                    self._copy(name, member)
            with archive.open(f"{ABOUT}.npy", "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, numpy.array(json.dumps(dict(self._saving.about))))

    def _safetensors(self) -> None:
        entries: dict[str, object] = {"__metadata__": dict(self._saving.about)}
        begin = 0
        for name, like in self._like.items():
            shape = [self._texts, *like.shape[1:]]
            end = begin + math.prod(shape) * like.element_size()
            entries[name] = {"dtype": _SAFETENSORS_DTYPES[like.dtype], "shape": shape, "data_offsets": [begin, end]}
            begin = end
        header = json.dumps(entries, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)  # The numbers begin at a multiple of eight bytes.
        self._file.write(len(header).to_bytes(8, "little") + header)
        for name in self._spools:
            self._copy(name, self._file)
