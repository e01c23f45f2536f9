"""Processor, memory and accelerators; only the last need torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.pipelines.doctor.fact import Fact, gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.run.devices import Device

AREA = "devices"
_TIGHT = 2**30
"""torch, transformers and bert-base take about this much."""
_CGROUPS = Path("/sys/fs/cgroup")


def device_facts(*, torch: bool) -> Iterator[Fact]:
    """The processor and its memory, then what torch sees.

    Args:
        torch: Import torch and transformers, which takes seconds, and try each device.
    """
    yield _cores()
    yield _memory()
    if torch:
        yield from _torch_facts()
    else:
        yield Fact(
            AREA, "torch", "not imported", "note", "Accelerators are not known: leave --no-torch out to see them"
        )


def _cores() -> Fact:
    every = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else every
    numbers: dict[str, int | float] = {"usable": usable, "cores": every}
    value, meaning = f"{usable} of {every} cores usable", "torch and tokenizers share them"
    share = _processor_share()
    if share is not None and share < usable:
        numbers["share"] = share
        return Fact(AREA, "cpu", f"{value}, {share:g} in time", "note", "A container limits them", numbers)
    return Fact(AREA, "cpu", value, "ok", meaning, numbers)


def _memory() -> Fact:
    total, free = read_memory()
    if total is None:
        return Fact(AREA, "memory", "not known", "note", "This system does not tell how much there is")
    if free is None:
        return Fact(AREA, "memory", gib(total), "ok", "How much of it is free is not known", {"total_bytes": total})
    numbers = {"total_bytes": total, "free_bytes": free}
    value = f"{gib(total)}, {gib(free)} free"
    if free < _TIGHT:
        return Fact(AREA, "memory", value, "warning", "Running bert-base takes about 1 GiB: close something", numbers)
    return Fact(AREA, "memory", value, "ok", "Enough to run bert-base, which takes about 1 GiB", numbers)


def read_memory(table: Path = Path("/proc/meminfo"), groups: Path = _CGROUPS) -> tuple[int | None, int | None]:
    """Bytes of memory in all, and those that can be had now; None for what the system does not tell.

    Args:
        table: The kernel's table.
        groups: Root of the control groups, by which containers are limited.
    """
    try:
        rows = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines() if ":" in line)
        total: int | None = int(rows["MemTotal"].split()[0]) * 1024
        free: int | None = int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return _physical_memory(), None
    for folder in _own_groups(groups):
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and total is not None and free is not None:
            total = min(total, limit)
            free = min(free, max(0, limit - (used or 0)))
    return total, free


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf; others may not know the names
        return None


def _processor_share(groups: Path = _CGROUPS) -> float | None:
    """Processors' worth of time that the control groups allow."""
    shares = []
    for folder in _own_groups(groups):
        try:
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
            shares.append(int(quota) / int(period))
        except (OSError, ValueError, ZeroDivisionError):  # no file here, or "max"
            continue
    return min(shares, default=None)


def _own_groups(groups: Path) -> list[Path]:
    """The control group of this process and those around it; the root alone where that is not known."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return [groups]
    own = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    folder = groups / own
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(groups))] if own else [groups]


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _torch_facts() -> Iterator[Fact]:
    from bertshape.run.imports import try_imports

    for part in try_imports():
        if part.problem is not None:
            meaning = f"Only --weights none works: {part.problem}"
            yield Fact(AREA, part.name, "cannot be imported", "error", meaning)
            return
        numbers = {"seconds": round(part.seconds, 3)}
        yield Fact(AREA, part.name, f"imported in {part.seconds:.1f} s", "ok", part.meaning, numbers)
    from bertshape.run.devices import auto_device, describe_devices

    devices = describe_devices()
    for device in devices:
        yield _device(device)
    chosen = auto_device()
    first = next((device for device in devices if device.kind == chosen), None)
    if first is None or first.usable:
        yield Fact(AREA, "--device auto", chosen, "ok", "Models run there unless --device says otherwise")
    else:
        yield Fact(AREA, "--device auto", chosen, "warning", "That device fails: pass --device cpu")


def _device(device: Device) -> Fact:
    numbers = {
        name: count
        for name, count in (("total_bytes", device.total_bytes), ("free_bytes", device.free_bytes))
        if count is not None
    }
    sizes = f", {gib(device.total_bytes)}" if device.total_bytes is not None else ""
    sizes += f", {gib(device.free_bytes)} free" if device.free_bytes is not None else ""
    if not device.present:
        return Fact(AREA, device.name, "none", "note", device.why)
    return Fact(AREA, device.name, f"{device.model}{sizes}", "ok" if device.usable else "warning", device.why, numbers)
