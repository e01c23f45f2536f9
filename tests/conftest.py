"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.checkpoints import build_checkpoint, families_absent, minilm_folder
from tests.support.command_line import Run, call, call_process

if TYPE_CHECKING:
    from pathlib import Path

# No test may reach a network; the ones about the Hub set their own loopback endpoint.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Beside other tests, threads of torch mostly wait for each other, and burn seven times the time of one thread with it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell's background jobs ignore Ctrl-C and hand that on to what the tests start, which must react to it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, and nothing about the code.
# The same examples in every run: what fails here fails everywhere. Longer runs: `python -m tests.fuzz`.
settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

EXAMPLE = "This is an example sentence."

__all__ = ["EXAMPLE", "Command", "Run"]

Command = Callable[..., Run]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the cases of families that are younger than the transformers that is here."""
    absent = set(families_absent())
    for item in items:
        parameters = getattr(item, "callspec", None)
        for family in absent.intersection(map(str, parameters.params.values()) if parameters else ()):
            item.add_marker(pytest.mark.skip(reason=f"this transformers has no {family}"))


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The published MiniLM checkpoint."""
    return minilm_folder()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Tiny checkpoint of a family, made once."""
    made: dict[str, Path] = {}

    def get(family: str) -> Path:
        if family not in made:
            made[family] = build_checkpoint(family, tmp_path_factory.mktemp("checkpoints") / family)
        return made[family]

    return get


@pytest.fixture(scope="session")
def run_cli() -> Command:
    """Run the command line in this process; what nearly every test needs."""
    return call


@pytest.fixture(scope="session")
def bertshape(run_cli: Command) -> Command:
    """The same by another name."""
    return run_cli


@pytest.fixture(scope="session")
def run_process() -> Command:
    """Run the command line in a process of its own, as a user does: seconds each, where the process is tested."""
    return call_process
