"""Devices: which one to use, what its failures mean, and what torch sees on this machine, tried and not only listed."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bertshape.errors import DeviceError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Device:
    """An accelerator, or a kind of which there is none.

    Attributes:
        name: As `--device` takes it, such as `cuda:0`.
        kind: `cuda` or `mps`.
        model: What the maker calls it; empty where there is none.
        total_bytes: Its memory, where that is known.
        free_bytes: What is left of it, where that is known.
        usable: Whether a small computation gave the right result on it.
        why: One sentence on `usable`.
    """

    name: str
    kind: str
    model: str
    total_bytes: int | None
    free_bytes: int | None
    usable: bool
    why: str

    @property
    def present(self) -> bool:
        """Whether there is such a device at all."""
        return bool(self.model)


def auto_device() -> str:
    """What `--device auto` takes."""
    return str(choose_device("auto"))


def describe_devices() -> tuple[Device, ...]:
    """Every accelerator that bertshape can use: all CUDA (or ROCm) devices, then Apple's MPS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (*_cuda(), _mps())


def _cuda() -> tuple[Device, ...]:
    if not torch.cuda.is_available():
        return (Device("cuda", "cuda", "", None, None, usable=False, why=_why_no_cuda()),)
    return tuple(_cuda_device(index) for index in range(torch.cuda.device_count()))


def _why_no_cuda() -> str:
    if torch.version.cuda is None and torch.version.hip is None:
        return "This torch is built without CUDA; models run on the CPU"
    try:
        torch.cuda.init()  # is_available swallows what is wrong
    except Exception as error:  # an old driver, no device, a library that is missing
        return f"torch sees none: {one_line(error, 200)}"
    return "torch sees none"


def _cuda_device(index: int) -> Device:
    name, model, total, free = f"cuda:{index}", "unknown", None, None
    try:
        properties = torch.cuda.get_device_properties(index)
        model, total = str(properties.name), int(properties.total_memory)
        free, total = torch.cuda.mem_get_info(index)
    except Exception as error:  # taken by another process, out of memory, fallen off the bus
        return Device(name, "cuda", model, total, free, usable=False, why=f"It cannot be used: {one_line(error, 200)}")
    problem = _trial(name)
    return Device(name, "cuda", model, total, free, usable=problem is None, why=problem or f"Use it by --device {name}")


def _mps() -> Device:
    if not torch.backends.mps.is_available():
        why = "No Apple GPU that torch can use" if torch.backends.mps.is_built() else "For Apple machines alone"
        return Device("mps", "mps", "", None, None, usable=False, why=why)
    total = free = None
    try:
        total = int(torch.mps.recommended_max_memory())
        free = max(0, total - int(torch.mps.driver_allocated_memory()))
    except Exception:  # older macOS does not tell
        total = free = None
    problem = _trial("mps")
    return Device(
        "mps", "mps", "Apple GPU", total, free, usable=problem is None, why=problem or "Use it by --device mps"
    )


def _trial(name: str) -> str | None:
    """What goes wrong in a small computation: a device may be listed for which this torch holds no code."""
    try:
        total = float(torch.ones(8, device=name).sum())
    except Exception as error:  # no kernel for this chip, no memory left, a broken driver
        return f"A small computation fails: {one_line(error, 200)}"
    return None if total == 8 else f"A small computation gives {total:g} in place of 8"


def choose_device(requested: str) -> torch.device:
    """The device asked for; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        DeviceError: torch does not see it here.
    """
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
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)
