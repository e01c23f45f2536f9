"""What torch sees on this machine, tried and not only listed."""

from __future__ import annotations

import importlib
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.errors import one_line
from bertshape.run.device import choose_device
from bertshape.run.imports import heavy_imports

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = (
    ("torch", "torch", "Runs the models"),
    # The package itself imports next to nothing; its parts fail where it does not fit to torch.
    ("transformers", "transformers.models.bert.modeling_bert", "Builds the models"),
)


@dataclass(frozen=True)
class Part:
    """A package that running a model needs, after trying to import it.

    Attributes:
        name: Name of the package.
        meaning: What it is for.
        seconds: Time that importing took.
        problem: Why it failed; None where it did not.
    """

    name: str
    meaning: str
    seconds: float
    problem: str | None


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


def try_imports() -> Iterator[Part]:
    """Import what a run imports, one part after the other; what comes after a broken part is not tried."""
    for name, module, meaning in _PARTS:
        start, problem = time.perf_counter(), None
        try:
            with warnings.catch_warnings(), heavy_imports():
                warnings.simplefilter("ignore")
                importlib.import_module(module)
        except Exception as error:  # a broken install fails in any way: ImportError, OSError, AttributeError ...
            problem = f"{type(error).__name__}: {one_line(error, 200)}"
        yield Part(name, meaning, time.perf_counter() - start, problem)
        if problem:
            return


def auto_device() -> str:
    """What `--device auto` takes."""
    return str(choose_device("auto"))


def describe_devices() -> tuple[Device, ...]:
    """Every accelerator that bertshape can use: all CUDA (or ROCm) devices, then Apple's MPS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (*_cuda(), _mps())


def _cuda() -> tuple[Device, ...]:
    import torch

    if not torch.cuda.is_available():
        return (Device("cuda", "cuda", "", None, None, usable=False, why=_why_no_cuda()),)
    return tuple(_cuda_device(torch, index) for index in range(torch.cuda.device_count()))


def _why_no_cuda() -> str:
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return "This torch is built without CUDA; models run on the CPU"
    try:
        torch.cuda.init()  # is_available swallows what is wrong
    except Exception as error:  # an old driver, no device, a library that is missing
        return f"torch sees none: {one_line(error, 200)}"
    return "torch sees none"


def _cuda_device(torch: Any, index: int) -> Device:
    name, model, total, free = f"cuda:{index}", "unknown", None, None
    try:
        properties = torch.cuda.get_device_properties(index)
        model, total = str(properties.name), int(properties.total_memory)
        free, total = torch.cuda.mem_get_info(index)
    except Exception as error:  # taken by another process, out of memory, fallen off the bus
        return Device(name, "cuda", model, total, free, usable=False, why=f"It cannot be used: {one_line(error, 200)}")
    problem = _trial(torch, name)
    return Device(name, "cuda", model, total, free, usable=problem is None, why=problem or f"Use it by --device {name}")


def _mps() -> Device:
    import torch

    if not torch.backends.mps.is_available():
        why = "No Apple GPU that torch can use" if torch.backends.mps.is_built() else "For Apple machines alone"
        return Device("mps", "mps", "", None, None, usable=False, why=why)
    total = free = None
    try:
        total = int(torch.mps.recommended_max_memory())
        free = max(0, total - int(torch.mps.driver_allocated_memory()))
    except Exception:  # older macOS does not tell
        total = free = None
    problem = _trial(torch, "mps")
    return Device(
        "mps", "mps", "Apple GPU", total, free, usable=problem is None, why=problem or "Use it by --device mps"
    )


def _trial(torch: Any, name: str) -> str | None:
    """What goes wrong in a small computation: a device may be listed for which this torch holds no code."""
    try:
        total = float(torch.ones(8, device=name).sum())
    except Exception as error:  # no kernel for this chip, no memory left, a broken driver
        return f"A small computation fails: {one_line(error, 200)}"
    return None if total == 8 else f"A small computation gives {total:g} in place of 8"
