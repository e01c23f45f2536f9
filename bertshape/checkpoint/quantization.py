"""Quantized weights: which method made them, by config.json or the names of tensors, and what they stand for."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.tensors import TensorInfo

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Method:
    """How one method stores a matrix.

    Attributes:
        name: `quant_method` in config.json.
        packages: What transformers needs to load it.
        matrix: Ending of the name of the tensor that holds the numbers, in place of `.weight`.
        marks: Endings of names that no other method uses; one of them tells the method.
        needed: Endings of the names of the tensors without which the numbers mean nothing.
        helpers: Endings of the names of all tensors beside the numbers.
    """

    name: str
    packages: tuple[str, ...]
    matrix: str
    marks: tuple[str, ...]
    needed: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of names that a model which is not quantized has none of."""
        return self.marks if self.matrix == ".weight" else (*self.marks, self.matrix)


_NESTED = (".weight.nested_absmax", ".weight.nested_quant_map")
_STATES = (".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4")
_COMPRESSED = (".weight_shape", ".weight_zero_point", ".weight_g_idx", ".input_scale", ".input_zero_point")
METHODS = (
    Method("bitsandbytes", ("bitsandbytes", "accelerate"), ".weight", (".SCB",), (), (".SCB", ".weight_format")),
    Method(
        "bitsandbytes",
        ("bitsandbytes", "accelerate"),
        ".weight",
        _STATES,
        (".weight.absmax", ".weight.quant_map"),
        (".weight.absmax", ".weight.quant_map", *_NESTED, *_STATES),
    ),
    Method(
        "gptq",
        ("optimum", "gptqmodel"),
        ".qweight",
        (".g_idx",),
        (".qzeros", ".scales"),
        (".qzeros", ".scales", ".g_idx"),
    ),
    Method(
        "awq", ("gptqmodel", "accelerate"), ".qweight", (".qweight",), (".qzeros", ".scales"), (".qzeros", ".scales")
    ),
    Method(
        "compressed-tensors",
        ("compressed_tensors",),
        ".weight_packed",
        (".weight_packed",),
        (".weight_scale",),
        (".weight_scale", *_COMPRESSED),
    ),
    Method(
        "compressed-tensors",
        ("compressed_tensors",),
        ".weight",
        (".weight_scale",),
        (),
        (".weight_scale", *_COMPRESSED),
    ),
)
_OTHER_PACKAGES = {
    "quanto": "optimum",
    "torchao": "torchao",
    "hqq": "hqq",
    "eetq": "eetq",
    "aqlm": "aqlm",
    "vptq": "vptq",
}
_WORD = 32
"""Bits of the integers that GPTQ, AWQ and compressed-tensors pack small ones into."""


@dataclass(frozen=True)
class Quantization:
    """What is known of a quantized checkpoint.

    Attributes:
        name: Name of the method.
        method: How it stores matrices; None for one that is not in the table, or where none is stored so.
        bits: Bits of a number.
        declared: Whether config.json says so.
        packages: What transformers needs to load it.
    """

    name: str
    method: Method | None
    bits: int
    declared: bool
    packages: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the table says how the method stores matrices."""
        return any(row.name == self.name for row in METHODS)

    @property
    def missing_packages(self) -> tuple[str, ...]:
        """Those of the packages that are not installed."""
        return tuple(name for name in self.packages if importlib.util.find_spec(name) is None)


def read_quantization(checkpoint: Checkpoint) -> Quantization | None:
    """The method of a checkpoint, by config.json's `quantization_config`, else by the names of its tensors."""
    declared = checkpoint.config.get("quantization_config")
    config = declared if isinstance(declared, dict) else {}
    name = _declared_name(config)
    tensors = checkpoint.headers.tensors if checkpoint.headers else {}
    # Without a word of config.json only what no other method writes tells: GPTQ and AWQ share most of their endings.
    found = (row for row in METHODS if any(key.endswith(row.marks if name is None else row.endings) for key in tensors))
    method = next((row for row in found if name in (None, row.name)), None)
    if name is None and method is None:
        return None
    chosen = name or (method.name if method else "")
    packages = next((row.packages for row in METHODS if row.name == chosen), (_OTHER_PACKAGES.get(chosen, chosen),))
    return Quantization(chosen, method, _bits(config, method), bool(config), packages)


def plain_tensors(
    tensors: Mapping[str, TensorInfo], quantization: Quantization, expected: Mapping[str, Shape]
) -> dict[str, TensorInfo]:
    """The tensors that a loader makes of the stored ones: a float matrix for each quantized one, and no helpers.

    Args:
        tensors: Stored tensors by name.
        quantization: How they are stored.
        expected: Shapes that the model asks for, by the stored names with `.weight`; numbers packed into a row
            without a shape take theirs from here.
    """
    method = quantization.method
    if method is None:
        return dict(tensors)
    plain = {}
    for name, row in tensors.items():
        if name.endswith(method.helpers):
            continue
        own_name = name.removesuffix(method.matrix) + ".weight" if name.endswith(method.matrix) else name
        bias = tensors.get(own_name.removesuffix("weight") + "bias")
        plain[own_name] = replace(row, name=own_name, shape=_shape(row, quantization, expected.get(own_name), bias))
    return plain


def incomplete_modules(tensors: Mapping[str, TensorInfo], method: Method) -> dict[str, tuple[str, ...]]:
    """Quantized matrices that lack what their numbers need: the endings that are missing, by the matrix's name."""
    found = {}
    for name in tensors:
        module = name.removesuffix(method.matrix)
        if name.endswith(method.matrix) and any(
            f"{module}{mark}" in tensors for mark in (*method.marks, *method.needed)
        ):
            missing = tuple(ending for ending in method.needed if f"{module}{ending}" not in tensors)
            if missing:
                found[name] = missing
    return found


def _declared_name(config: Mapping[str, object]) -> str | None:
    name = config.get("quant_method")
    if isinstance(name, str) and name:
        return name
    # bitsandbytes came before the key.
    return "bitsandbytes" if config.get("load_in_8bit") or config.get("load_in_4bit") else None


def _bits(config: Mapping[str, object], method: Method | None) -> int:
    bits = config.get("bits", config.get("w_bit"))
    groups = config.get("config_groups")
    if isinstance(groups, dict):
        for group in groups.values():
            weights = group.get("weights") if isinstance(group, dict) else None
            bits = weights.get("num_bits", bits) if isinstance(weights, dict) else bits
    if isinstance(bits, int) and not isinstance(bits, bool) and 1 <= bits <= _WORD:
        return bits
    return 8 if config.get("load_in_8bit") or (method is not None and method.marks == (".SCB",)) else 4


def _shape(row: TensorInfo, quantization: Quantization, expected: Shape | None, bias: TensorInfo | None) -> Shape:
    shape, method, packed = row.shape, quantization.method, _WORD // quantization.bits
    if method is None or len(shape) != 2:
        return shape
    if row.name.endswith(".qweight"):
        return (shape[1], shape[0] * packed) if quantization.name == "gptq" else (shape[1] * packed, shape[0])
    if row.name.endswith(".weight_packed"):
        return (shape[0], shape[1] * packed)
    # bitsandbytes puts two numbers of 4 bits into a byte, and all bytes into one column.
    if row.dtype != "uint8" or shape[1] != 1:
        return shape
    rows = bias.shape[0] if bias is not None and bias.shape else expected[0] if expected else 0
    return (rows, 2 * shape[0] // rows) if rows and 2 * shape[0] % rows == 0 else shape
