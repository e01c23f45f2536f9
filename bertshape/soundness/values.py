"""NaN and infinities in the weights: the only rule that reads the data of tensors, piece by piece, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.stored_values import stored_values, unreadable_values, unwatched
from bertshape.files import exists
from bertshape.report.finding import Finding
from bertshape.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader
    from pathlib import Path

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.stored_values import Read

# Element type in a safetensors header -> integer of the same size, and the bits that are all set in NaN and infinity
# alone: the exponent (IEEE 754; bfloat16 is the upper half of float32). float8_e4m3fn has no infinity, and one NaN.
_NOT_FINITE = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F8_E5M2": ("<u1", 0x7C),
    "F8_E4M3": ("<u1", 0x7F),
}
_PIECE = 1 << 20
"""Elements that are held at a time: at most 8 MiB, and as much again for the comparison."""
_SHOWN = 3


def check_values(checkpoint: Checkpoint, read: Read = unwatched) -> list[Finding]:
    """Look at every stored number; this reads the whole of the weight files.

    Args:
        checkpoint: A checkpoint whose safetensors files are in its folder.
        read: Takes how far the reading is.

    Returns:
        One error that names the tensors; a note where there is nothing that can be read.

    Raises:
        CheckpointError: A file cannot be read.
    """
    headers = checkpoint.headers
    files = headers.files if headers is not None and headers.is_safetensors else ()
    absent = [name for name in files if not exists(checkpoint.folder / name)]
    if not files or absent:
        what = f"{absent[0]} is not in the folder" if absent else "there is no safetensors file"
        message = f"values were not checked: {what}"
        return [Finding("values-not-checked", "note", message, "Save the weights with safetensors, into the folder.")]
    findings, total = [], headers.total_bytes if headers is not None else 0
    for name in files:
        looked = dict(_tensors(checkpoint.folder / name, name, lambda count: read(count, total)))
        unused = [tensor for tensor, (_, used, size) in looked.items() if size and not used]
        # RoBERTa has no segments: its first conversion put zeros in their place.
        empty = [tensor for tensor in unused if tensor.endswith("weight") and "token_type" not in tensor]
        if empty:
            findings.append(_zeros(name, empty))
        broken = {tensor: (count, size) for tensor, (count, _, size) in looked.items() if count}
        if broken:
            findings.append(_finding(name, broken))
    return findings


def _zeros(file: str, names: list[str]) -> Finding:
    return Finding(
        "values-zero",
        "warning",
        f"{file}: {len(names)} weight{'s hold' if len(names) > 1 else ' holds'} zeros alone: {listed(names)}; nothing "
        "goes through them",
        "Compare with the original checkpoint: so they are left where a training or a conversion never filled them.",
        where=f"{file} {names[0]}",
        expected="numbers other than zero",
        actual="zeros",
    )


def _finding(file: str, broken: dict[str, tuple[int, int]]) -> Finding:
    shown = [f"{name} ({count:,} of {total:,} values)" for name, (count, total) in list(broken.items())[:_SHOWN]]
    rest = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    plural = "tensors hold" if len(broken) > 1 else "tensor holds"
    return Finding(
        "non-finite-values",
        "error",
        f"{file}: {len(broken)} {plural} NaN or infinity, expected finite numbers: {', '.join(shown)}{rest}",
        "Go back to a checkpoint from before training diverged, or download the file again.",
        where=f"{file} {next(iter(broken))}",
        expected="finite numbers",
        actual=f"{sum(count for count, _ in broken.values())} NaN or infinite",
    )


def _tensors(path: Path, name: str, read: Callable[[int], None]) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Each tensor of floating-point numbers: how many are not finite, how many not zero, and how many there are."""
    try:
        with path.open("rb") as file:
            for tensor, entry, begin, size in stored_values(file):
                integer, mask = _NOT_FINITE.get(entry["dtype"], ("", 0))
                if not integer:
                    read(size)
                    continue
                file.seek(begin)
                total = size // int(integer[-1])
                counts = _count(file, integer, mask, total)
                read(size)
                yield tensor, (*counts, total)
    except OSError as error:
        raise unreadable_values(name, error) from error


def _count(file: BufferedReader, integer: str, mask: int, total: int) -> tuple[int, int]:
    """How many of the next `total` values have all bits of the mask set, and how many any bit."""
    # Not on top: no other rule needs numpy, and importing it takes longer than all of them.
    import numpy as np

    bits = np.array(mask, integer)
    count = used = 0
    for start in range(0, total, _PIECE):
        wanted = min(total - start, _PIECE)
        piece = np.fromfile(file, dtype=integer, count=wanted)
        if piece.size < wanted:
            raise OSError("the file ends early")
        count += int(np.count_nonzero((piece & bits) == bits))
        used += int(np.count_nonzero(piece))
    return count, used
