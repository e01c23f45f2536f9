"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.checkpoints import build_checkpoint, families_absent, minilm_folder
from tests.support.schema_check import check_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# No test may reach a network; the ones about the Hub set their own loopback endpoint.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A shell's background jobs ignore Ctrl-C and hand that on to what the tests start, which shall hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

EXAMPLE = "This is an example sentence."

Run = subprocess.CompletedProcess[str]


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
def bertshape() -> Callable[..., Run]:
    """Run the command line in a process of its own, as a user does; JSON that it prints is held to its schema."""

    def run(*arguments: str, columns: int | None = 80, **environment: str) -> Run:
        variables = os.environ | {"NO_COLOR": "1"} | environment
        variables.pop("COLUMNS", None)
        if columns is not None:
            variables["COLUMNS"] = str(columns)
        done = subprocess.run(
            [sys.executable, "-m", "bertshape", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=variables,
            check=False,
            timeout=120,
        )
        check_output(done.stdout)
        return done

    return run
