"""The pytest plugin: a fixture that checks a checkpoint, and contracts as test items with `pytest --bertshape`.

It is imported by every pytest run of an environment that has bertshape: whatever costs time is imported when used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bertshape.errors import BertshapeError
from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from bertshape.pipelines.check_request import CheckRequest
    from bertshape.report.check import CheckReport

CONTRACT = "bertshape.toml"


class ContractError(AssertionError):
    """A checkpoint is not what it should be; its text lists every problem."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bertshape`."""
    group = parser.getgroup("bertshape", "checkpoints of BERT-like models")
    group.addoption(
        "--bertshape", action="store_true", help=f"Collect {CONTRACT} files: a test item for each checkpoint."
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect contract files where that was asked for."""
    if file_path.name == CONTRACT and parent.config.getoption("--bertshape"):
        return ContractFile.from_parent(parent, path=file_path)
    return None


class ContractFile(pytest.File):
    """A contract file: an item for each checkpoint that it describes."""

    def collect(self) -> Iterable[ContractItem]:
        """Read the file."""
        # Here and below a door: an environment's every pytest run imports this module.
        from bertshape.contract.read import read_contract
        from bertshape.pipelines.check_request import request_from_contract

        try:
            contracts = read_contract(self.path)
        except BertshapeError as error:
            raise self.CollectError(_lines(error.message, error.hint)) from error
        for contract in contracts:
            yield ContractItem.from_parent(self, name=contract.model, request=request_from_contract(contract))


class ContractItem(pytest.Item):
    """One checkpoint of a contract."""

    def __init__(self, *, request: CheckRequest, **options: Any) -> None:
        super().__init__(**options)
        self._request = request

    def runtest(self) -> None:
        """Check it."""
        from bertshape.pipelines.check import check

        _passed(check(self._request))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problems alone: a traceback through bertshape says nothing about the checkpoint."""
        if isinstance(excinfo.value, BertshapeError):
            return _lines(excinfo.value.message, excinfo.value.hint)
        if isinstance(excinfo.value, ContractError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item is, for pytest's headings."""
        return self.path, None, f"checkpoint {self.name}"


@pytest.fixture(scope="session")
def bertshape_check() -> Callable[..., CheckReport]:
    """Check a checkpoint in a test: `bertshape_check("models/minilm", "hidden_size=384", text="Hi", run=True)`.

    The fixture is a function of a checkpoint and any number of expectations. It returns the report, and raises an
    AssertionError that lists every problem where there is one.
    """
    from bertshape import api

    def check_checkpoint(
        model: str | Path, *expect: str, text: str | None = None, run: bool = False, device: str = "auto"
    ) -> CheckReport:
        __tracebackhide__ = True
        texts = () if text is None else (text,)
        return _passed(api.check_checkpoint(model, *expect, texts=texts, run=run, device=device))

    return check_checkpoint


def _passed(report: CheckReport) -> CheckReport:
    __tracebackhide__ = True
    if report.error is not None:
        raise ContractError(_lines(f"{report.name}: {report.error.message}", report.error.hint))
    problems = [problem for outcome in report.outcomes for problem in outcome.problems]
    if problems:
        raise ContractError(_lines(f"{report.name} is not as expected:", *problems))
    return report


def _lines(*lines: str | None) -> str:
    """Lines for a person: names and values come from a checkpoint, and may not command the terminal."""
    return "\n".join(visible(line) for line in lines if line)
