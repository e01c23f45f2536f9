"""Quantized weights as each method stores them; shapes and names alone, most numbers are zeros."""

from __future__ import annotations

from collections.abc import Callable

import torch

from tests.soundness.editing import State

Shrink = Callable[[torch.Tensor], State]


def _int8(matrix: torch.Tensor) -> State:
    scale = matrix.abs().amax(1)
    numbers = (matrix / scale[:, None] * 127).round().to(torch.int8)
    return {"weight": numbers, "SCB": scale, "weight_format": torch.tensor(0, dtype=torch.uint8)}


def _nf4(matrix: torch.Tensor) -> State:
    return {
        "weight": torch.zeros(matrix.numel() // 2, 1, dtype=torch.uint8),
        "weight.absmax": torch.zeros(matrix.numel() // 64, dtype=torch.uint8),
        "weight.quant_map": torch.zeros(16),
        "weight.nested_absmax": torch.zeros(1),
        "weight.nested_quant_map": torch.zeros(256),
        "weight.quant_state.bitsandbytes__nf4": torch.zeros(80, dtype=torch.uint8),
    }


def _gptq(matrix: torch.Tensor) -> State:
    rows, columns = matrix.shape
    return {
        "qweight": torch.zeros(columns // 8, rows, dtype=torch.int32),
        "qzeros": torch.zeros(1, rows // 8, dtype=torch.int32),
        "scales": torch.zeros(1, rows, dtype=torch.float16),
        "g_idx": torch.zeros(columns, dtype=torch.int32),
    }


def _awq(matrix: torch.Tensor) -> State:
    rows, columns = matrix.shape
    return {
        "qweight": torch.zeros(columns, rows // 8, dtype=torch.int32),
        "qzeros": torch.zeros(1, rows // 8, dtype=torch.int32),
        "scales": torch.zeros(1, rows, dtype=torch.float16),
    }


def _compressed(matrix: torch.Tensor) -> State:
    rows, columns = matrix.shape
    return {
        "weight_packed": torch.zeros(rows, columns // 8, dtype=torch.int32),
        "weight_scale": torch.zeros(rows, 1, dtype=torch.float16),
        "weight_shape": torch.zeros(2, dtype=torch.int64),
    }


METHODS: dict[str, tuple[Shrink, dict[str, object]]] = {
    "bitsandbytes 8": (_int8, {"quant_method": "bitsandbytes", "load_in_8bit": True}),
    "bitsandbytes 4": (_nf4, {"quant_method": "bitsandbytes", "load_in_4bit": True}),
    "gptq": (_gptq, {"quant_method": "gptq", "bits": 4, "group_size": -1}),
    "awq": (_awq, {"quant_method": "awq", "bits": 4, "group_size": -1}),
    "compressed-tensors": (
        _compressed,
        {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}},
    ),
}


def quantized(method: str) -> Callable[[State], State]:
    """A change of stored tensors: the matrices of the layers as the method stores them, the rest in half precision."""
    shrink = METHODS[method][0]

    def change(state: State) -> State:
        stored: State = {}
        for name, tensor in state.items():
            if "encoder" in name and name.endswith(".weight") and tensor.dim() == 2:
                module = name.removesuffix("weight")
                stored |= {module + ending: value for ending, value in shrink(tensor).items()}
            else:
                stored[name] = tensor.half()
        return stored

    return change
