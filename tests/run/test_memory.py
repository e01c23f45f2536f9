"""What asks for more memory than there is, is refused before it takes any."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from bertshape.errors import DeviceError
from bertshape.run import memory

PAGES = Path("/proc/self/statm")


def test_more_than_there_is_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 2_000_000_000)
    memory.check_memory(2_000_000_000, "it", "")
    with pytest.raises(DeviceError, match=r"^it: that takes 2\.5 GB of memory, and 2\.0 GB are free$"):
        memory.check_memory(2_500_000_000, "it", "")


def test_a_system_that_does_not_say_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    memory.check_memory(10**18, "it", "")


def test_no_more_than_the_machine_has() -> None:
    there = memory.available_bytes()
    assert there is not None
    assert 0 < there <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not PAGES.exists(), reason="needs Linux")
def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = int(PAGES.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (taken + 10**7, resource.RLIM_INFINITY))
    there = memory.available_bytes()
    assert there is not None
    assert there <= 10**7


@pytest.mark.parametrize("limit", ["7\n", "max\n"])
def test_a_limit_of_a_container_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(memory, "_GROUP_LIMITS", (str(tmp_path / "memory.max"), str(tmp_path / "absent")))
    there = memory.available_bytes()
    assert there is not None
    assert (there == 7) == (limit == "7\n")
