"""A model with random weights: built without storage, then filled with views of one block of random numbers.

The values matter to nobody; they must be seeded, and their spread must keep the outputs finite. So all layers may share
their numbers, and a bert-base of 440 MB takes 10 MB.
"""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook

from bertshape.run.memory import check_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

SEED = 0
"""Seed of random weights and of tensors that a checkpoint lacks, so that two runs agree."""
_INITIALIZER_RANGE = 0.02
_DRAWN = 1_000_003
"""Numbers drawn; a larger block repeats them. Prime, so that no matrix has rows that repeat."""
_STEP = 1008
"""Each parameter begins so much later in the block: a query like its key makes YOSO's arc cosine leave its domain.
A multiple of 16 keeps rows on the cache lines that vector instructions like best.
"""


def build_random(model_class: Any, config: Any, dtype: torch.dtype) -> PreTrainedModel:
    """Build a model with seeded random weights on the CPU.

    Args:
        model_class: The model.
        config: Its configuration.
        dtype: Dtype of the parameters.

    Returns:
        The model in evaluation mode. Its parameters overlap in memory: they can be read, not written.
    """
    config.dtype = dtype
    with _default_dtype(dtype), _parameters_without_storage():
        model: PreTrainedModel = model_class(config)
    _fill(model, dtype)
    model.eval()
    return model


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Build buffers in the dtype of the parameters, as transformers does when it loads."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _parameters_without_storage() -> Iterator[None]:
    """Put each new parameter of this thread on the meta device, where initialising it costs nothing.

    A model built wholly on the meta device would have its buffers there too, and only transformers' own loading knows
    how to compute those again.
    """
    thread = threading.get_ident()

    def bare(_: torch.nn.Module, __: str, parameter: torch.nn.Parameter) -> torch.nn.Parameter | None:
        # The hook is the whole process's; and a parameter that is on meta already may be tied: it must stay the same.
        if threading.get_ident() != thread or parameter.is_meta:
            return None
        return torch.nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)

    handle = register_module_parameter_registration_hook(bare)  # type: ignore[arg-type]  # its annotation forbids what its documentation offers
    try:
        yield
    finally:
        handle.remove()


def _fill(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Give each parameter a view: norms are 1, biases 0, all else lies in one block of normal numbers."""
    parameters = dict(model.named_parameters())
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Embedding)}
    flat = max((parameter.numel() for parameter in parameters.values() if parameter.ndim < 2), default=0)
    constants = {True: torch.ones(flat, dtype=dtype), False: torch.zeros(flat, dtype=dtype)}
    block = _block(parameters, tables, dtype)
    filled = {}
    # As transformers does when it loads.
    kept = set(getattr(model, "_keep_in_fp32_modules", None) or ()) if dtype == torch.float16 else set()
    for index, (name, parameter) in enumerate(parameters.items()):
        values = block[index * _STEP :]
        if parameter.ndim < 2:
            values = constants[name.endswith("weight")][: parameter.numel()].view(parameter.shape)
        elif parameter.numel() <= values.numel():
            values = values[: parameter.numel()].view(parameter.shape)
        else:
            # Only tables are larger. Rows that overlap all differ; looking rows up copies them, whatever their stride.
            rows, size = parameter.shape
            values = values.as_strided((rows, size), ((values.numel() - size) // rows, 1))
        values = values.float() if kept.intersection(name.split(".")) else values
        filled[id(parameter)] = torch.nn.Parameter(values, requires_grad=False)
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, filled[id(parameter)])
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.is_meta:  # made in the likeness of a parameter, as I-BERT's integers are
                setattr(module, name, torch.zeros_like(buffer, device="cpu"))


def _block(parameters: dict[str, torch.nn.Parameter], tables: set[str], dtype: torch.dtype) -> torch.Tensor:
    """Normal numbers, enough for the largest matrix, and for each table to have rows that differ."""
    needed = [
        sum(parameter.shape) if name in tables else parameter.numel()
        for name, parameter in parameters.items()
        if parameter.ndim > 1
    ]
    size = max(needed, default=0) + _STEP * len(parameters)
    hint = "Correct the sizes in config.json, or predict without running: inspect --weights none."
    check_memory(
        2 * size * dtype.itemsize, f"config.json describes a matrix of {max(needed, default=0):,} numbers", hint
    )
    generator = torch.Generator().manual_seed(SEED)
    numbers = torch.empty(min(size, _DRAWN), dtype=torch.float32).normal_(0, _INITIALIZER_RANGE, generator=generator)
    return numbers.to(dtype).repeat(math.ceil(size / _DRAWN))[:size]
