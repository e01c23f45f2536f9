"""The pytest plugin: a fixture that checks a checkpoint, and contracts as test items with `pytest --bertshape`.

It is imported by every pytest run of an environment that has bertshape: whatever costs time is behind a door.
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.check import CheckReport

CONTRACT = "bertshape.toml"
PROJECT = "pyproject.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bertshape` and the settings of the ini file."""
    group = parser.getgroup("bertshape", "checkpoints of BERT-like models")
    group.addoption("--bertshape", action="store_true", help="Collect contract files: a test item for each checkpoint.")
    contracts = f"Names or patterns of contract files; a {PROJECT} counts where it has [tool.bertshape]."
    parser.addini("bertshape_contracts", contracts, type="args", default=[CONTRACT, PROJECT])
    parser.addini("bertshape_run", "Run the models of contracts on every text too.", type="bool", default=False)
    parser.addini("bertshape_values", "Read all weights of contracts: NaN, digests.", type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect contract files where that was asked for."""
    config = parent.config
    if not config.getoption("--bertshape") or not _is_contract(file_path, config):
        return None
    items = _items()
    return items.ContractFile.from_parent(parent, path=file_path) if items.is_contract(file_path) else None


def _items() -> Any:
    from bertshape.cli import pytest_items

    return pytest_items


def _is_contract(path: Path, config: pytest.Config) -> bool:
    """Whether the settings name it: by its name, or by its path from the root of the project."""
    below = path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path
    return any(
        fnmatch(path.name, pattern) or fnmatch(below.as_posix(), pattern)
        for pattern in config.getini("bertshape_contracts")
    )


@pytest.fixture(scope="session")
def bertshape_check() -> Callable[..., CheckReport]:
    """Check a checkpoint in a test: `bertshape_check("models/minilm", "hidden_size=384", text="Hi", run=True)`.

    The fixture is a function of a checkpoint and any number of expectations. It returns the report, and raises an
    AssertionError that lists every problem where there is one.
    """
    check_in_test: Callable[..., CheckReport] = _items().check_in_test
    return check_in_test
