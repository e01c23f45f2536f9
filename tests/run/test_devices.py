"""Devices are tried, not only listed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bertshape.run import devices

if TYPE_CHECKING:
    import pytest


def fake_cuda(**parts: Any) -> SimpleNamespace:
    """A torch with one CUDA device, for machines that have none."""

    def ones(count: int, device: str) -> SimpleNamespace:
        return SimpleNamespace(sum=lambda: count)

    cuda = SimpleNamespace(
        get_device_properties=lambda _: SimpleNamespace(name="Test GPU", total_memory=80),
        mem_get_info=lambda _: (30, 80),
    )
    return SimpleNamespace(**({"cuda": cuda, "ones": ones} | parts))


def no_kernel(count: int, device: str) -> None:
    raise RuntimeError("no kernel image is available for execution on the device")


def test_a_gpu_is_usable_only_if_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chip too old or too new for this torch is listed, has memory, and fails at the first kernel."""
    monkeypatch.setattr(devices, "torch", fake_cuda())
    good = devices._cuda_device(1)
    assert (good.name, good.model, good.total_bytes, good.free_bytes) == ("cuda:1", "Test GPU", 80, 30)
    assert good.usable
    monkeypatch.setattr(devices, "torch", fake_cuda(ones=no_kernel))
    bad = devices._cuda_device(0)
    assert not bad.usable
    assert "no kernel image" in bad.why
    monkeypatch.setattr(devices, "torch", fake_cuda(ones=lambda *_, **__: SimpleNamespace(sum=lambda: 7)))
    wrong = devices._cuda_device(0)
    assert not wrong.usable
