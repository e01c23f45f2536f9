"""Contracts as test items: a file for each contract, an item for each checkpoint that it describes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bertshape.contract.read import PROJECT_NAME, holds_contract, read_contract
from bertshape.errors import BertshapeError
from bertshape.pipelines.api.calls import check_checkpoint
from bertshape.pipelines.check import check
from bertshape.pipelines.check_request import CheckRequest, request_from_contract
from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bertshape.report.check import CheckReport


def is_contract(path: Path) -> bool:
    """Whether a file holds a contract; a pyproject.toml without `[tool.bertshape]` does not, nor one that is broken."""
    try:
        return path.name != PROJECT_NAME or holds_contract(path)
    except BertshapeError:
        return False


class ContractError(AssertionError):
    """A checkpoint is not what it should be; its text lists every problem."""


class ContractFile(pytest.File):
    """A contract file: an item for each checkpoint that it describes."""

    def collect(self) -> Iterable[ContractItem]:
        """Read the file."""
        try:
            contracts = read_contract(self.path)
        except BertshapeError as error:
            raise self.CollectError(lines(error.message, error.hint)) from error
        run, values = (bool(self.config.getini(f"bertshape_{name}")) for name in ("run", "values"))
        times: Counter[str] = Counter()
        for contract in contracts:
            # The path as it is written; of several entries for one checkpoint, a number tells them apart.
            times[contract.model] += 1
            number = times[contract.model]
            name = contract.model if number == 1 else f"{contract.model}#{number}"
            request = replace(request_from_contract(contract), run=run, values=values)
            yield ContractItem.from_parent(self, name=visible(name), request=request)


class ContractItem(pytest.Item):
    """One checkpoint of a contract."""

    def __init__(self, *, request: CheckRequest, **options: Any) -> None:
        super().__init__(**options)
        self._request = request

    def runtest(self) -> None:
        """Check it."""
        passed(replace(check(self._request), name=self.name))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problems alone: a traceback through bertshape says nothing about the checkpoint."""
        if isinstance(excinfo.value, BertshapeError):
            return lines(excinfo.value.message, excinfo.value.hint)
        if isinstance(excinfo.value, ContractError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item is, for pytest's headings."""
        return self.path, None, f"checkpoint {self.name}"


def check_in_test(
    model: str | Path, *expect: str, text: str | None = None, run: bool = False, device: str = "auto"
) -> CheckReport:
    """What the fixture `bertshape_check` is.

    Args:
        model: The checkpoint.
        expect: Expectations.
        text: Text of the expectations on shapes.
        run: Run the model too.
        device: Where to run.

    Raises:
        ContractError: Something is not as expected.
    """
    __tracebackhide__ = True
    texts = () if text is None else (text,)
    return passed(check_checkpoint(model, *expect, texts=texts, run=run, device=device))


def passed(report: CheckReport) -> CheckReport:
    """The report, where everything is as expected.

    Raises:
        ContractError: It is not.
    """
    __tracebackhide__ = True
    if report.error is not None:
        raise ContractError(lines(f"{report.name}: {report.error.message}", report.error.hint))
    problems = [problem for outcome in report.outcomes for problem in outcome.problems]
    if problems:
        raise ContractError(lines(f"{report.name} is not as expected:", *problems))
    return report


def lines(*lines: str | None) -> str:
    """Lines for a person: names and values come from a checkpoint, and may not command the terminal."""
    return "\n".join(visible(line) for line in lines if line)
