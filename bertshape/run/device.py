"""Devices: which one to use, and what its failures mean."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bertshape.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


def choose_device(requested: str) -> torch.device:
    """The device asked for; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        DeviceError: torch does not see it here.
    """
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    kind, _, index = requested.partition(":")
    if not available[kind]:
        raise DeviceError(
            f"--device {requested}: torch {torch.__version__} sees no {kind} device here",
            hint="Use --device auto or cpu.",
            code="device-not-found",
        )
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise DeviceError(
            f"--device {requested}: there are {count} CUDA devices, numbered from 0",
            hint=f"Use a number below {count}.",
            code="device-not-found",
        )
    return torch.device(requested)


@contextmanager
def device_errors(device: torch.device) -> Iterator[None]:
    """Say plainly when the memory of a device is not enough.

    Raises:
        DeviceError: Memory ran out inside the block.
    """
    hint = "Use fewer or shorter texts, --dtype float16, or --device cpu."
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise DeviceError(f"out of memory on {device}", hint=hint, code="out-of-memory") from error
        raise


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means that memory ran out; the CPU's allocator has no error class of its own."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)
