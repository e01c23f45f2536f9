"""Rust's text stays off stderr, and nothing else does."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from bertshape.tokens import panics

if TYPE_CHECKING:
    import pytest


def test_threads_that_hold_stderr_give_it_back(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The first to hold it ends before the second."""
    monkeypatch.setattr(panics, "_keeps_stderr_clean", True)
    inside, leave = threading.Event(), threading.Event()

    def second() -> None:
        with panics.blamed("a file"):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=second)
    with panics.blamed("a file"):
        thread.start()
        inside.wait(0.2)  # It waits for the first; where it does not, the two are inside at once.
    leave.set()
    thread.join()
    os.write(2, b"after both")
    assert capfd.readouterr().err == "after both"
