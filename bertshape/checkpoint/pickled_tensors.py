"""Names and shapes in a file of torch.save, read from the instructions of its pickle; no instruction is carried out.

A pickle is a program. This follows what it does to its stack, and keeps names, numbers and the arguments of the calls
that make tensors; every other call, class or object of it becomes a value that says nothing but what it would be.
"""

from __future__ import annotations

import io
import pickletools
import shlex
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from bertshape.checkpoint.tensors import DTYPES, STORAGES, TensorInfo, WeightHeaders
from bertshape.errors import CheckpointError
from bertshape.files import check_file, exists
from bertshape.strict_json import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MOST_BYTES = 4_000_000
"""Of the instructions; those of a model of 1,000 tensors have 0.1 MB, and 4 MB take some seconds."""
_BEFORE = 3
"""Pickles before that of the tensors in a file of torch before 1.6: a mark, the version, the system."""
_ZIP, _OLD = b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_KNOWN = frozenset(name for name, _ in DTYPES.values())
_MARK = object()
_WRITE_OUT = (
    "import torch; from safetensors.torch import save_file; "
    'm = torch.load("{}", map_location="cpu", weights_only=False); '
    'save_file({{k: v.clone() for k, v in m.state_dict().items()}}, "model.safetensors", metadata={{"format": "pt"}})'
)


@dataclass(frozen=True)
class _Named:
    """A class or function that the pickle names."""

    name: str


@dataclass(frozen=True)
class _Made:
    """What a call of something would give."""

    name: str


@dataclass(frozen=True)
class _Tensor:
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class PickledTensors:
    """What one file of torch.save holds.

    Attributes:
        tensors: Its tensors by name.
        inside: Key of the dict that holds them, where they are not at the top; None where they are.
        bytes_read: Bytes of its instructions.
    """

    tensors: Mapping[str, TensorInfo]
    inside: str | None
    bytes_read: int


def read_pickles(folder: Path, names: Sequence[str]) -> WeightHeaders | None:
    """Read names and shapes of the tensors in the files of torch.save that together are a checkpoint.

    Args:
        folder: Their folder.
        names: Names of the files.

    Returns:
        None where there are none, where one holds what is not followed, and where one is on the Hub alone.

    Raises:
        CheckpointError: A file is cut off, no file of torch.save, or holds no tensors.
    """
    if not names or not all(exists(folder / name) for name in names):
        return None
    files = [read_pickled(folder / name, name) for name in names]
    found = [file for file in files if file is not None]
    if len(found) < len(files):
        return None
    return WeightHeaders(
        tensors={name: row for file in found for name, row in file.tensors.items()},
        files=tuple(names),
        format="pickle",
        bytes_read=sum(file.bytes_read for file in found),
        metadata={},
        total_bytes=sum((folder / name).stat().st_size for name in names),
        inside=next((file.inside for file in found if file.inside), None),
    )


def read_pickled(path: Path, name: str) -> PickledTensors | None:
    """Read names and shapes of the tensors in a file of torch.save.

    Args:
        path: The file.
        name: Its name, for messages and results.

    Returns:
        None where the file holds what this does not follow.

    Raises:
        CheckpointError: It is cut off, no file of torch.save, or holds no tensors.
    """
    try:
        check_file(path, 2**63, "a file of weights")
        with path.open("rb") as file:
            stream = _instructions(file, name)
            root = _follow(stream)
    except OSError as error:
        raise CheckpointError(
            f"{name} cannot be read: {error.strerror or error}",
            hint="Check the path and its permissions.",
            code="weights-file-unreadable",
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, struct.error, RuntimeError, NotImplementedError):
        return None  # Instructions that no torch.save writes; loading it says what they are.
    return _found(root, path.parent, name, stream.tell())


def _instructions(file: BinaryIO, name: str) -> io.BytesIO:
    """The pickle of the tensors in a file, as a stream that begins with it."""
    start = file.read(len(_OLD))
    file.seek(0)
    if start.startswith(_ZIP):
        return io.BytesIO(_from_archive(file, name))
    if not start.startswith(b"\x80"):
        raise _no_torch_file(start, name)
    stream = io.BytesIO(file.read(_MOST_BYTES))
    for _ in range(_BEFORE if start == _OLD else 0):
        _follow(stream)
    return stream


def _from_archive(file: BinaryIO, name: str) -> bytes:
    try:
        with zipfile.ZipFile(file) as archive:
            entry = next(entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl"))
            with archive.open(entry) as inner:
                content = inner.read(_MOST_BYTES + 1)
    except (zipfile.BadZipFile, EOFError) as error:
        raise CheckpointError(
            f"{name} is cut off or damaged: it begins as a file of torch.save, and its table of contents is missing",
            hint="Download the file again, and compare its size with the original.",
            code="weights-file-truncated",
        ) from error
    except StopIteration:
        raise _no_torch_file(_ZIP, name) from None
    if len(content) > _MOST_BYTES:
        raise ValueError("too long")
    return content


def _no_torch_file(start: bytes, name: str) -> CheckpointError:
    page = start.lstrip()[:1] == b"<"
    what = "is empty" if not start else "is an HTML or XML page" if page else "is no file that torch.save has written"
    hint = "Download the file itself, not the page about it." if page else "Download the file again."
    if start[8:9] == b"{":
        what, hint = "is a file of safetensors under another name", "Rename it to model.safetensors."
    return CheckpointError(f"{name} {what}, and no weights that torch.load takes", hint=hint, code="weights-not-pickle")


def _follow(stream: BinaryIO) -> object:
    """Follow one pickle of a stream to its end."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    for instruction, argument, _ in pickletools.genops(stream):
        name = instruction.name
        if name == "STOP":
            return stack.pop()
        if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        else:
            _step(name, argument, instruction, stack)
    raise ValueError("no end")


def _step(name: str, argument: Any, instruction: pickletools.OpcodeInfo, stack: list[Any]) -> None:
    """Do to the stack what an instruction does, as far as tensors ask for it."""
    if name == "MARK":
        stack.append(_MARK)
    elif name == "GLOBAL":
        stack.append(_Named(argument.replace(" ", ".")))
    elif name == "EMPTY_DICT":
        stack.append({})
    elif name == "EMPTY_TUPLE":
        stack.append(())
    elif name == "TUPLE":
        stack.append(tuple(_to_mark(stack)))
    elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        stack[-int(name[-1]) :] = [tuple(stack[-int(name[-1]) :])]
    elif name in ("SETITEM", "SETITEMS"):
        items = _to_mark(stack) if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
        if isinstance(stack[-1], dict):
            pairs = zip(items[::2], items[1::2], strict=True)
            stack[-1].update((key, value) for key, value in pairs if isinstance(key, str))
    elif name in ("STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"):
        last = stack.pop()
        if name == "STACK_GLOBAL":
            stack[-1] = _Named(f"{stack[-1]}.{last}")
        elif name != "BUILD":
            stack[-1] = _call(stack[-1], last)
    elif name == "BINPERSID":
        stack[-1] = _storage(stack[-1])
    else:
        _generic(argument, instruction, stack)


def _generic(argument: Any, instruction: pickletools.OpcodeInfo, stack: list[Any]) -> None:
    """Take from the stack and put on it as many values as the instruction says."""
    before = instruction.stack_before
    if pickletools.markobject in before:
        _to_mark(stack)
        before = before[: before.index(pickletools.markobject)]
    if before:
        del stack[-len(before) :]
    stack.extend([argument] * len(instruction.stack_after))


def _to_mark(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1
    while stack[at] is not _MARK:
        at -= 1
        if at < 0:
            raise ValueError("no mark")
    taken = stack[at + 1 :]
    del stack[at:]
    return taken


def _storage(said: Any) -> Any:
    """Element type of a storage, which a pickle names by `("storage", class, key, device, elements)`."""
    kind = said[1] if isinstance(said, tuple) and len(said) > 1 else None
    return _Named(STORAGES.get(kind.name.rpartition(".")[2], "")) if isinstance(kind, _Named) else _Named("")


def _call(called: Any, arguments: Any) -> Any:
    """What a call makes, of those that make tensors and dicts."""
    name = called.name if isinstance(called, _Named) else ""
    if name == "collections.OrderedDict":
        return {}
    if name in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"):
        kind = arguments[6] if name.endswith("3") else arguments[0]
        dtype, shape = kind.name.removeprefix("torch."), arguments[2]
        if dtype in _KNOWN and isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape):
            return _Tensor(dtype, shape)
    if name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"):
        return arguments[0]
    if name == "torch._tensor._rebuild_from_type_v2":
        return _call(arguments[0], arguments[2])
    return _Made(name)


def _found(root: object, parent: Path, name: str, size: int) -> PickledTensors:
    if not isinstance(root, dict):
        kind = root.name if isinstance(root, _Made) else type(root).__name__
        known = kind.startswith(("torch.nn.", "transformers.", "sentence_transformers."))
        folder, script = shlex.quote(str(parent)), shlex.quote(_WRITE_OUT.format(name))
        command = f"If you trust its author, write its tensors out: cd {folder} && python -c {script}"
        raise CheckpointError(
            f"{name} holds an object ({kind}), not tensors by name: transformers refuses it",
            hint=command if known else "Ask for a safetensors file: pickles can run code.",
            code="weights-without-tensors",
        )
    inner = {key: _tensors(value) for key, value in root.items() if isinstance(value, dict)}
    inside = max(inner, key=lambda key: len(inner[key]), default=None)
    held, own = inner.get(inside or "", {}), _tensors(root)
    if len(own) >= len(held):
        inside, held = None, own
    called = next((value.name or "a method" for value in root.values() if isinstance(value, _Made)), None)
    if not held and called is not None:
        message = f"{name} holds no tensors, and asks for a call of {called}: that is code, which was not run"
        raise CheckpointError(message, hint="Ask for a safetensors file: pickles can run code.", code="weights-unsafe")
    if not held:
        raise CheckpointError(
            f"{name} holds a dict of {', '.join(map(quoted, [*root][:3])) or 'nothing'}, and no tensors",
            hint="Pass the checkpoint that holds the weights.",
            code="weights-without-tensors",
        )
    tensors = {key: TensorInfo(key, row.dtype, row.shape, name) for key, row in held.items()}
    return PickledTensors(tensors, inside, size)


def _tensors(held: Mapping[str, object]) -> dict[str, _Tensor]:
    return {key: row for key, row in held.items() if isinstance(row, _Tensor)}
