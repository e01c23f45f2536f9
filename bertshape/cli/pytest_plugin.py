"""The pytest plugin: a fixture that checks a checkpoint, and contracts as test items with `pytest --bertshape`.

It is imported by every pytest run of an environment that has bertshape: whatever costs time is behind a door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.check import CheckReport

CONTRACT = "bertshape.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bertshape`."""
    group = parser.getgroup("bertshape", "checkpoints of BERT-like models")
    group.addoption(
        "--bertshape", action="store_true", help=f"Collect {CONTRACT} files: a test item for each checkpoint."
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect contract files where that was asked for."""
    if file_path.name == CONTRACT and parent.config.getoption("--bertshape"):
        from bertshape.cli.pytest_items import ContractFile

        return ContractFile.from_parent(parent, path=file_path)
    return None


@pytest.fixture(scope="session")
def bertshape_check() -> Callable[..., CheckReport]:
    """Check a checkpoint in a test: `bertshape_check("models/minilm", "hidden_size=384", text="Hi", run=True)`.

    The fixture is a function of a checkpoint and any number of expectations. It returns the report, and raises an
    AssertionError that lists every problem where there is one.
    """
    from bertshape.cli.pytest_items import check_in_test

    return check_in_test
