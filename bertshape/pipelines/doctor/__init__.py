"""Is all here that bertshape needs? Facts, area after area, each with what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.pipelines.doctor.cache import AREA as _CACHE
from bertshape.pipelines.doctor.cache import FolderSize, cache_facts, measure_folder
from bertshape.pipelines.doctor.fact import STATES, Area, Fact, State, gather
from bertshape.pipelines.doctor.machine import AREA as _DEVICES
from bertshape.pipelines.doctor.machine import device_facts
from bertshape.pipelines.doctor.network import AREA as _HUB
from bertshape.pipelines.doctor.network import hub_facts
from bertshape.pipelines.doctor.secrets import conceal
from bertshape.pipelines.doctor.surroundings import (
    EMBEDDED,
    ENVIRONMENT,
    TERMINAL,
    Terminal,
    embedded_facts,
    environment_facts,
    terminal_facts,
)
from bertshape.pipelines.doctor.versions import AREA as _VERSIONS
from bertshape.pipelines.doctor.versions import version_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["STATES", "Area", "Fact", "FolderSize", "State", "Terminal", "diagnose", "measure_folder", "usable"]


def diagnose(terminal: Terminal, *, torch: bool, offline: bool, timeout: float) -> Iterator[Area]:
    """Look at everything, one area after the other; whatever is broken is a fact, and never an exception.

    Args:
        terminal: What the caller knows of its streams.
        torch: Import torch and transformers and try the accelerators, which takes seconds.
        offline: Send no request.
        timeout: Seconds that the one request may take.
    """
    areas: dict[str, Callable[[], Iterable[Fact]]] = {
        _VERSIONS: version_facts,
        _DEVICES: lambda: device_facts(torch=torch),
        _CACHE: cache_facts,
        _HUB: lambda: hub_facts(offline=offline, timeout=timeout),
        TERMINAL: lambda: terminal_facts(terminal),
        ENVIRONMENT: environment_facts,
        EMBEDDED: embedded_facts,
    }
    for name, examine in areas.items():
        yield _without_secrets(gather(name, examine))


def usable(facts: Iterable[Fact]) -> bool:
    """Whether bertshape works here; it does without a network, a cache and an accelerator."""
    return all(fact.state != "error" for fact in facts)


def _without_secrets(area: Area) -> Area:
    """Nothing leaves with a token in it, wherever it stands: an address, a path, another library's error."""
    facts = [replace(fact, value=conceal(fact.value), meaning=conceal(fact.meaning)) for fact in area.facts]
    return Area(area.name, tuple(facts))
