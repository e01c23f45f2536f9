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
    from bertshape import api
    from bertshape.cli.pytest_items import passed

    def check_checkpoint(
        model: str | Path, *expect: str, text: str | None = None, run: bool = False, device: str = "auto"
    ) -> CheckReport:
        __tracebackhide__ = True
        texts = () if text is None else (text,)
        return passed(api.check_checkpoint(model, *expect, texts=texts, run=run, device=device))

    return check_checkpoint
