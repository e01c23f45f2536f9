"""Devices are tried, not only listed."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bertshape import inspect_texts
from bertshape.errors import CheckpointError, DeviceError, ExitCode
from bertshape.run import devices
from tests.hostile.model import sound, weights_of

if TYPE_CHECKING:
    from pathlib import Path


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


def device(name: str, free: int | None, why: str = "") -> devices.Device:
    kind = name.partition(":")[0]
    return devices.Device(name, kind, "Test GPU", 80, free, usable=not why, why=why or "fine")


@pytest.mark.parametrize(
    ("found", "chosen", "passed_over"),
    [
        ((), "cpu", ""),
        ((device("cuda:0", 10), device("cuda:1", 30)), "cuda:1", ""),
        ((device("cuda:0", 10), device("cuda:1", 30, "no kernel image")), "cuda:0", "cuda:1: no kernel image"),
        ((device("cuda:0", 10, "busy"), device("cuda:1", 30, "no kernel")), "cpu", "cuda:1: no kernel; cuda:0: busy"),
        ((device("cuda:0", None), device("cuda:1", None)), "cuda:0", ""),
    ],
)
def test_auto_takes_the_freest_that_works(
    found: tuple[devices.Device, ...], chosen: str, passed_over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(found))
    monkeypatch.setattr(devices, "_cuda", lambda: found)
    place, why = devices.choose_device("auto")
    assert (str(place), why) == (chosen, passed_over)


def test_a_fallback_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (device("cuda:0", 10, "no kernel image"),)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_cuda", lambda: broken)
    report = inspect_texts("a", model="embedded:bert-tiny-uncased")
    (finding,) = [finding for finding in report.findings if finding.code == "device-fallback"]
    assert "cuda:0: no kernel image" in finding.message
    assert report.run.device == "cpu"


MEMORY = (
    "MPS backend out of memory (MPS allocated: 1.00 GB)",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "CUDA error: out of memory",
    "DefaultCPUAllocator: not enough memory: you tried to allocate 40 bytes.",
    "[enforce fail at alloc_cpu.cpp:83] DefaultCPUAllocator: can't allocate memory",
)
BROKEN = (
    "CUDA error: no kernel image is available for execution on the device",
    "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
    "HIP error: invalid device function",
)


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a Dense step."""
    folder = sound(tmp_path_factory.mktemp("chained"))
    steps = (("Transformer", ""), ("Pooling", "pool"), ("Dense", "dense"))
    modules = [{"type": f"sentence_transformers.models.{kind}", "name": kind, "path": path} for kind, path in steps]
    dense = {"in_features": 8, "out_features": 4, "bias": False, "activation_function": "torch.nn.Tanh"}
    files = {"modules": modules, "pool/config": {"pooling_mode": "mean"}, "dense/config": dense}
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "dense" / "model.safetensors").write_bytes(weights_of({"linear.weight": (4, 8)}))
    return folder


PLACES = {
    "load": "bertshape.run.loading.build_random",
    "to": "transformers.models.bert.modeling_bert.BertModel.to",
    "forward": "transformers.models.bert.modeling_bert.BertModel.forward",
    "strategy": "bertshape.run.runner._pooling_inputs",
    "weights of a step": "bertshape.run.sentence_chain._weights",
    "activation of a step": "torch.nn.Tanh.forward",
    "numbers copied back": "bertshape.run.runner.look",
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("message", [*MEMORY, *BROKEN])
def test_failures_of_a_device_are_named_as_such(
    where: str, message: str, chained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they come, and as plain RuntimeErrors: exit code 5, never a broken checkpoint and never a bug."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError(message)

    monkeypatch.setattr(PLACES[where], fail)
    with pytest.raises(DeviceError) as caught:
        inspect_texts("a", model=str(chained), device="cpu", weights="random" if where == "load" else None)
    assert caught.value.exit_code == ExitCode.DEVICE
    assert caught.value.code == ("out-of-memory" if message in MEMORY else "device-failed")
    assert "cpu" in caught.value.message


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr("transformers.models.bert.modeling_bert.BertModel.forward", fail)
    with pytest.raises(CheckpointError, match="shapes cannot be multiplied"):
        inspect_texts("a", model="embedded:bert-tiny-uncased")
