"""Which model, and on which device: all that a command needs which takes no texts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bertshape.checkpoint.checkpoint import Checkpoint, open_checkpoint
from bertshape.errors import UsageError

_DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,4})?|mps", re.ASCII)


@dataclass(frozen=True)
class ModelSource:
    """Which model.

    Attributes:
        name: Folder, Hub id or `embedded:` name; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        timeout: Seconds that fetching the small files from the Hub may take; None for the usual.
        refresh: Fetch them again, whatever the cache holds.
    """

    name: str | None = None
    revision: str | None = None
    offline: bool = False
    timeout: float | None = None
    refresh: bool = False

    def open(self) -> Checkpoint:
        """The checkpoint's facts; errors are those of `open_checkpoint`."""
        return open_checkpoint(
            self.name, revision=self.revision, offline=self.offline, timeout=self.timeout, refresh=self.refresh
        )


def device_name(written: str) -> str:
    """A device by torch's name: `gpu` and a bare number are CUDA devices."""
    if written.isascii() and written.isdigit():
        return f"cuda:{int(written)}"
    return "cuda" if written == "gpu" else written


def check_device(device: str) -> None:
    """Refuse what names no device.

    Raises:
        UsageError: It does not.
    """
    if not _DEVICE.fullmatch(device):
        hint = "Use auto, cpu, cuda, cuda:N, gpu, N or mps."
        raise UsageError(f"--device {device} is not a device", hint=hint, code="device-invalid")
