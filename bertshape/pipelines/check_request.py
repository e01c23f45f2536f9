"""What is to be checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bertshape.pipelines.model_source import ModelSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.contract.contract import CheckpointContract
    from bertshape.contract.expectations import Expectation
    from bertshape.contract.shape_pattern import ShapePattern

DEFAULT_TEXT = "This is an example sentence."
"""Text of expectations on shapes where no other is given."""


@dataclass(frozen=True)
class CheckCase:
    """A text, and what is expected of it besides the expectations that all texts share."""

    text: str
    pair: str | None = None
    input_ids: tuple[int, ...] | None = None
    shapes: Mapping[str, ShapePattern] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The case in one line."""
        return self.text if self.pair is None else f"{self.text} / {self.pair}"


@dataclass(frozen=True)
class CheckRequest:
    """One checkpoint to check.

    Attributes:
        source: Which one.
        expect: Expectations on the checkpoint and on every case.
        cases: Texts.
        tensors: Shapes of stored tensors, by perhaps folded names.
        tokenizer: Expected digest of the tokenizer's file.
        digests: Expected digests of the stored numbers, by the part of the model that they are of.
        values: Compare them, and look for NaN and infinities in the weights, which reads them all.
        run: Run the model on every case, and require what it shows to be what was predicted.
        device: Where to run.
        fail_on: Least severity of a finding that fails the check.
        contract: Path of the contract that describes it; empty where there is none.
        index: Which of the contract's checkpoints it is, from 0.
    """

    source: ModelSource
    expect: tuple[Expectation, ...] = ()
    cases: tuple[CheckCase, ...] = ()
    tensors: Mapping[str, ShapePattern] = field(default_factory=dict)
    tokenizer: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    values: bool = False
    run: bool = False
    device: str = "auto"
    fail_on: Literal["error", "warning"] = "error"
    contract: str = ""
    index: int = 0

    @property
    def name(self) -> str:
        """The checkpoint's name, as a person wrote it."""
        return self.source.name or ""


def request_from_contract(contract: CheckpointContract, *, offline: bool = False) -> CheckRequest:
    """The request that an entry of a contract file describes."""
    return CheckRequest(
        ModelSource(contract.location, contract.revision, offline),
        expect=contract.expect,
        cases=tuple(CheckCase(case.text, case.pair, case.input_ids, case.shapes) for case in contract.cases),
        tensors=contract.tensors,
        tokenizer=contract.tokenizer,
        contract=contract.file,
        index=contract.index,
        digests=contract.values,
    )
