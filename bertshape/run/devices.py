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
    return str(choose_device("auto")[0])


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


def choose_device(requested: str) -> tuple[torch.device, str]:
    """The device asked for.

    `auto` takes the first on which a small computation works: the CUDA devices, that with the most free memory first,
    then Apple's MPS, then the CPU.

    Args:
        requested: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Returns:
        The device, and why `auto` passed over an accelerator that is there; empty where it did not.

    Raises:
        DeviceError: torch does not see it here.
    """
    if requested == "auto":
        return _choose_freely()
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind, _, index = requested.partition(":")
    if not available[kind]:
        raise DeviceError(
            f"--device {requested}: torch {torch.__version__} sees no {kind} device here",
            hint="Use the device auto or cpu.",
            code="device-not-found",
        )
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise DeviceError(
            f"--device {requested}: there are {count} CUDA devices, numbered from 0",
            hint=f"Use a number below {count}.",
            code="device-not-found",
        )
    return torch.device(requested), ""


def _choose_freely() -> tuple[torch.device, str]:
    found: list[Device] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found += _cuda() if torch.cuda.is_available() else ()
        found += (_mps(),) if torch.backends.mps.is_available() else ()
    # Stable: of devices whose free memory is not known the first stays first.
    found.sort(key=lambda device: (device.kind != "cuda", -(device.free_bytes or 0)))
    failed = [f"{device.name}: {device.why}" for device in found if not device.usable]
    usable = next((device for device in found if device.usable), None)
    return torch.device(usable.name if usable else "cpu"), "; ".join(failed)


@contextmanager
def device_errors(device: torch.device, loading: str = "") -> Iterator[None]:
    """Say plainly when a device fails: its memory is not enough, or it cannot be used at all.

    Args:
        device: The device.
        loading: What is loaded inside the block, where no text can be to blame yet.

    Raises:
        DeviceError: The device failed inside the block.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            hint = "Use fewer or shorter texts, smaller batches, dtype float16, or the device cpu."
            message = f"out of memory on {device}"
            if loading:
                hint = "See whether they ask for more than they hold, use float16, or predict: inspect --weights none."
                message += f" while {loading} are loaded"
            raise DeviceError(message, hint=hint, code="out-of-memory") from error
        if is_device_failure(error):
            message = f"{device} cannot be used: {one_line(error, 200)}"
            raise DeviceError(message, hint="Use another device, such as cpu.", code="device-failed") from error
        raise


_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""What says that memory ran out; only CUDA's own allocator has an error class for it."""
_UNUSABLE = (
    "no kernel image is available",
    "busy or unavailable",
    "CUDA error",
    "HIP error",
    "CUDA driver",
    "CUBLAS_STATUS",
    "CUDNN_STATUS",
    "device-side assert",
    "MPS backend",
    "MPSNDArray",
)
"""What says that a device is there and cannot compute."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or _says(error, _MEMORY)


def is_device_failure(error: BaseException) -> bool:
    """Whether an error comes from the device and not from the checkpoint."""
    return is_out_of_memory(error) or _says(error, _UNUSABLE)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    # torch.AcceleratorError is a RuntimeError too.
    return isinstance(error, RuntimeError) and any(word.lower() in str(error).lower() for word in words)
