"""Does bertshape work here? Facts about versions, devices, the cache folder and the Hub, each with what it means."""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import sys
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bertshape.checkpoint.hub_tokens import conceal, hub_settings, hub_tokens
from bertshape.errors import one_line
from bertshape.run.imports import try_imports
from bertshape.version import __version__
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bertshape.run.devices import Device

State = Literal["ok", "note", "warning", "error"]
STATES: tuple[State, ...] = ("ok", "note", "warning", "error")
"""Least grave first; only an error makes bertshape unusable."""

RUN_MISSING = 'predictions and checks work; pip install "bertshape[torch]" to run models'
_VERSIONS, _DEVICES, _CACHE, _HUB = "versions", "devices", "cache folder", "Hub"
_NEEDED = ("huggingface_hub", "numpy", "rich", "tokenizers", "tomlkit", "typer")
_TO_RUN = ("torch", "transformers", "safetensors")
# transformers refuses to be imported beside packages outside its own ranges, which are narrower than ours.
_ASKING = ("bertshape", "transformers")
_LOCAL = "folders, embedded and cached checkpoints work without it"
_CACHE_VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")
"""Variables that move the cache, the strongest first."""
_SLOW_DOWN, _SERVER_ERROR = 429, 500
_GIB = 2**30


@dataclass(frozen=True)
class Fact:
    """Something about this machine that bertshape depends on.

    Attributes:
        area: What it belongs to, such as `devices`.
        name: What it is.
        value: What was found.
        state: How good that is.
        meaning: What it means for bertshape, or what to do about it.
        numbers: What `value` says for people, exactly.
    """

    area: str
    name: str
    value: str
    state: State
    meaning: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)


def diagnose(*, torch: bool, offline: bool, timeout: float) -> Iterator[Fact]:
    """Look at everything; whatever is broken is a fact, and never an exception.

    Args:
        torch: Import torch and transformers and try the accelerators, which takes seconds.
        offline: Send no request.
        timeout: Seconds that the one request may take.
    """
    areas: dict[str, Callable[[], Iterable[Fact]]] = {
        _VERSIONS: _version_facts,
        _DEVICES: lambda: _device_facts(torch=torch),
        _CACHE: _cache_facts,
        _HUB: lambda: _hub_facts(offline=offline, timeout=timeout),
    }
    for area, examine in areas.items():
        try:
            for fact in examine():
                # Nothing leaves with a token in it, wherever it was: an address, a path, another library's error.
                yield replace(fact, value=conceal(fact.value), meaning=conceal(fact.meaning))
        except Exception as error:  # whatever is broken here is what a diagnosis is for
            reason = conceal(f"The rest is not known: {type(error).__name__}: {one_line(error)}")
            yield Fact(area, "examination", "stopped", "warning", reason)


def usable(facts: Iterable[Fact]) -> bool:
    """Whether bertshape works here; it does without a network, a cache, torch and an accelerator."""
    return all(fact.state != "error" for fact in facts)


def _version_facts() -> Iterator[Fact]:
    about = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    own = _version("bertshape")
    wanted = Requirement(f"python{metadata.metadata('bertshape')['Requires-Python'] or ''}") if own else None
    if wanted and not wanted.specifier.contains(platform.python_version(), prereleases=True):
        problem = f"bertshape needs {wanted.specifier}: make a new environment with one of them"
        yield Fact(_VERSIONS, "Python", about, "error", problem)
    else:
        yield Fact(_VERSIONS, "Python", about, "ok", f"Runs bertshape, from {sys.executable}")
    if own:
        yield Fact(_VERSIONS, "bertshape", __version__, "ok", "This program")
    else:
        meaning = "The ranges of its packages are not known: install bertshape with pip"
        yield Fact(_VERSIONS, "bertshape", __version__, "warning", meaning)
    for name in (*_TO_RUN, *_NEEDED):
        yield _package(name)


def _package(name: str) -> Fact:
    requirements = _requirements(name)
    pip = f'pip install "{canonicalize_name(name)}{_range(requirements.values())}"'
    version = _version(name)
    if version is None and name in _TO_RUN:
        return Fact(_VERSIONS, name, "not installed", "note", RUN_MISSING[0].upper() + RUN_MISSING[1:])
    if version is None:
        return Fact(_VERSIONS, name, "not installed", "error", f"bertshape needs it: {pip}")
    for asking, requirement in requirements.items():
        if not requirement.specifier.contains(version, prereleases=True):
            return Fact(_VERSIONS, name, version, "error", f"{asking} needs {_range([requirement])}: {pip}")
    wanted = ", ".join(f"{asking} needs {_range([item])}" for asking, item in requirements.items() if item.specifier)
    return Fact(_VERSIONS, name, version, "ok", wanted or "No range is known")


def _version(name: str) -> str | None:
    """Version by the metadata of the installed package; None where there is none, or it is broken."""
    try:
        found: str | None = metadata.version(name)
    except (metadata.PackageNotFoundError, KeyError):
        return None
    return found


def _requirements(name: str) -> dict[str, Requirement]:
    """Which versions of a package are asked for, by who asks for them."""
    found: dict[str, Requirement] = {}
    for asking in _ASKING:
        for line in (metadata.requires(asking) or []) if _version(asking) else []:
            # Before it is parsed: transformers lists some hundred requirements of its extras.
            if canonicalize_name(re.split(r"[^A-Za-z0-9._-]", line)[0]) != canonicalize_name(name):
                continue
            requirement = Requirement(line)
            extras = ("", "torch") if asking == "bertshape" else ("",)
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
                found.setdefault(asking, requirement)
    return found


def _range(requirements: Iterable[Requirement]) -> str:
    """All ranges in one, lower bounds first."""
    return ",".join(sorted({str(part) for item in requirements for part in item.specifier}, reverse=True))


def _device_facts(*, torch: bool) -> Iterator[Fact]:
    if not torch:
        meaning = "Accelerators are not known: leave --no-torch out to see them"
        yield Fact(_DEVICES, "torch", "not imported", "note", meaning)
        return
    if _version("torch") is None or _version("transformers") is None:
        yield Fact(_DEVICES, "torch", "not installed", "note", f"Nothing runs: {RUN_MISSING}")
        return
    for part in try_imports():
        if part.problem is not None:
            meaning = f"Only --weights none works: {part.problem}"
            yield Fact(_DEVICES, part.name, "cannot be imported", "error", meaning)
            return
        numbers = {"seconds": round(part.seconds, 3)}
        yield Fact(_DEVICES, part.name, f"imported in {part.seconds:.1f} s", "ok", part.meaning, numbers)
    # Here and below doors: torch takes seconds, and a broken package must not keep the other facts away.
    from bertshape.run.devices import auto_device, describe_devices

    devices = describe_devices()
    yield from map(_device, devices)
    chosen = auto_device()
    first = next((device for device in devices if device.kind == chosen.partition(":")[0]), None)
    if first is None or first.usable:
        yield Fact(_DEVICES, "--device auto", chosen, "ok", "Models run there unless --device says otherwise")
    else:
        yield Fact(_DEVICES, "--device auto", chosen, "warning", "That device fails: pass --device cpu")


def _device(device: Device) -> Fact:
    if not device.present:
        return Fact(_DEVICES, device.name, "none", "note", device.why)
    sizes = {"total_bytes": device.total_bytes, "free_bytes": device.free_bytes}
    numbers = {name: count for name, count in sizes.items() if count is not None}
    value = ", ".join([device.model, *(f"{_gib(count)} {name.partition('_')[0]}" for name, count in numbers.items())])
    return Fact(_DEVICES, device.name, value, "ok" if device.usable else "warning", device.why, numbers)


def _cache_facts() -> Iterator[Fact]:
    folder = hub_settings().cache_folder
    existing = next((place for place in (folder, *folder.parents) if os.path.lexists(place)), Path(folder.anchor))
    chooser = next((name for name in _CACHE_VARIABLES if os.environ.get(name)), None)
    chosen = f"({f'by {chooser}' if chooser else 'by default, set HF_HOME to move it'})"
    effective = os.access in os.supports_effective_ids
    if not existing.is_dir():
        meaning = f"{existing} is not a folder: nothing can be fetched from the Hub {chosen}"
        yield Fact(_CACHE, "path", str(folder), "warning", meaning)
    elif not os.access(existing, os.W_OK | os.X_OK, effective_ids=effective):
        yield Fact(_CACHE, "path", str(folder), "warning", f"It cannot be written: nothing new can be fetched {chosen}")
    elif existing != folder:
        yield Fact(_CACHE, "path", str(folder), "ok", f"It is not there yet; the first download makes it {chosen}")
    else:
        yield Fact(_CACHE, "path", str(folder), "ok", f"Checkpoints of the Hub are kept there {chosen}")
    if folder.is_dir():
        yield _content(folder)
    free = shutil.disk_usage(existing).free
    enough = free >= _GIB
    meaning = "bert-base takes 0.4 GiB" + ("" if enough else ": free some, or set HF_HOME to another disk")
    yield Fact(_CACHE, "free space", _gib(free), "ok" if enough else "warning", meaning, {"free_bytes": free})


def _content(folder: Path) -> Fact:
    """What the cache holds; it stores a file once and links to it by its names."""
    unreadable: list[OSError] = []
    sizes: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder, onerror=unreadable.append):
        for name in names:
            try:
                found = os.lstat(os.path.join(place, name))
            except OSError as error:  # deleted meanwhile, or hidden from us
                unreadable.append(error)
                continue
            if stat.S_ISREG(found.st_mode):
                sizes[found.st_dev, found.st_ino] = found.st_size
    models = sum(path.is_dir() and not path.is_symlink() for path in folder.glob("models--*"))
    numbers = {"bytes": sum(sizes.values()), "files": len(sizes), "models": models, "unreadable": len(unreadable)}
    value = f"{_gib(numbers['bytes'])} in {counted(models, 'model')}"
    if unreadable:
        meaning = f"{counted(len(unreadable), 'entry', 'entries')} cannot be read, and what they hold cannot be used"
        return Fact(_CACHE, "content", value, "warning", meaning, numbers)
    meaning = "These open with --offline" if models else "Nothing can be opened with --offline yet"
    return Fact(_CACHE, "content", value, "ok", meaning, numbers)


def _hub_facts(*, offline: bool, timeout: float) -> Iterator[Fact]:
    settings = hub_settings()
    yield Fact(_HUB, "endpoint", settings.endpoint, "ok", "Where --model ORG/NAME is looked up; HF_ENDPOINT sets it")
    place, token = next(iter(hub_tokens().items()), ("", ""))
    if not token:
        yield Fact(_HUB, "token", "none", "ok", "Public checkpoints need none; gated and private ones do")
    elif token.isascii() and token.isprintable():
        yield Fact(_HUB, "token", f"set by {place}", "ok", "Sent to the endpoint, for gated and private checkpoints")
    else:
        meaning = "It holds characters that no token has: set it again, or unset it"
        yield Fact(_HUB, "token", f"set by {place}", "warning", meaning)
    if offline or settings.offline:
        reason = "--offline was passed" if offline else "HF_HUB_OFFLINE: cached checkpoints alone can be opened"
        yield Fact(_HUB, "reachable", "not asked", "note", reason)
    else:
        yield _reachable(timeout)


def _reachable(timeout: float) -> Fact:
    from bertshape.checkpoint.hub_probe import probe_hub

    answer = probe_hub(timeout)
    numbers: dict[str, int | float] = {"seconds": round(answer.seconds, 3)}
    if answer.status is None:
        return Fact(_HUB, "reachable", "no", "warning", f"{answer.problem}; {_LOCAL}", numbers)
    value = f"HTTP {answer.status} in {answer.seconds:.2f} s"
    state: State = "warning"
    if answer.status >= _SERVER_ERROR:
        meaning = f"It fails at the moment: try later; {_LOCAL}"
    elif answer.status == _SLOW_DOWN:
        meaning = "It asks to slow down: wait a little, or set HF_TOKEN"
    elif not answer.is_hub:
        meaning = f"It does not answer as a Hub does: check HF_ENDPOINT and the proxy; {_LOCAL}"
    else:
        state, meaning = "ok", "Checkpoints can be looked up"
    return Fact(_HUB, "reachable", value, state, meaning, {**numbers, "status": answer.status})


def _gib(count: int) -> str:
    """Bytes in the unit that memory and disks are measured in."""
    return f"{count / _GIB:.1f} GiB" if count >= _GIB // 10 else f"{count / 2**20:.1f} MiB"
