"""The dtype that the weights are stored in against the one that they are loaded in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bertshape.predict.limits import FLOATS, declared_dtype, resolve_dtype
from bertshape.predict.tensor_names import backbone_name
from bertshape.report.finding import Finding
from bertshape.shapes import DTYPE_BYTES
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.tensors import WeightHeaders
    from bertshape.predict.architecture import Architecture


def dtype_findings(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Finding]:
    """A note where loading gives the parameters another dtype than they are stored in, with what that does to memory.

    Args:
        checkpoint: With the headers of its weights.
        architecture: Which of the tensors are loaded.
    """
    family, headers = architecture.family, checkpoint.headers
    if headers is None:
        return
    yield from _rounded(architecture, headers)
    elements: Counter[str] = Counter()
    in_memory = 0
    loaded = resolve_dtype(checkpoint, "auto", stored=True)
    for name, tensor in headers.tensors.items():
        if tensor.dtype in FLOATS and (family is None or backbone_name(name, family) is not None):
            elements[tensor.dtype] += tensor.elements
            in_memory += DTYPE_BYTES[architecture.dtype_of(name, loaded)] * tensor.elements
    if not elements or set(elements) == {loaded}:
        return
    stored = sum(DTYPE_BYTES[dtype] * count for dtype, count in elements.items())
    names = " and ".join(dtype for dtype, _ in elements.most_common())
    why = "as config.json says" if declared_dtype(checkpoint.config) else "the dtype of the first tensor by name"
    yield Finding(
        "dtype-differs",
        "note",
        f"the weights are stored in {names} ({_megabytes(stored)}) and load in {loaded}, {why} "
        f"({_megabytes(in_memory)})",
        "Ask for another one by name: inspect and embed take --dtype.",
        where="config.json dtype",
        expected=names,
        actual=loaded,
    )


def _rounded(architecture: Architecture, headers: WeightHeaders) -> Iterator[Finding]:
    """Parameters that are stored as something else than floating-point numbers of a model, and no word of it."""
    family = architecture.family
    expected = architecture.expected_tensors() or {}
    odd = {
        name: tensor.dtype
        for name, tensor in headers.tensors.items()
        if tensor.dtype not in FLOATS and family is not None and backbone_name(name, family) in expected
    }
    if odd:
        name, dtype = next(iter(odd.items()))
        yield Finding(
            "tensors-rounded",
            "warning",
            f"{counted(len(odd), 'tensor')} of the backbone stored in {dtype}, such as {name}, and config.json has no "
            "quantization_config: they load as they stand, without the scales that belong to them",
            "Take the weights from before they were quantized, or add the quantization_config of the run that did it.",
            where=name,
            expected="floating-point numbers",
            actual=dtype,
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"
