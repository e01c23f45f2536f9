"""The pipeline of `check`: checkpoint -> soundness -> expectations -> cases -> verdict; torch only for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.contract.expectations import Expectation, Subject, match
from bertshape.errors import BertshapeError
from bertshape.pipelines import facts
from bertshape.predict.config import resolve
from bertshape.predict.limits import length_limits
from bertshape.report.check import DEFAULT_TEXT, CheckCase, CheckReport, CheckRequest, Outcome, outcomes_of
from bertshape.soundness.soundness import check_soundness
from bertshape.soundness.weights import stored_backbone
from bertshape.tokens.tokenizer import load_tokenizer, needs_conversion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.contract.contract import CheckpointContract, ContractCase
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

__all__ = ["CheckCase", "CheckReport", "CheckRequest", "Outcome", "check", "request_from_contract"]


def request_from_contract(contract: CheckpointContract) -> CheckRequest:
    """The request that a contract file describes."""

    def case(entry: ContractCase) -> CheckCase:
        return CheckCase(entry.text, entry.pair, entry.input_ids, entry.shapes)

    return CheckRequest(
        model=contract.model,
        revision=contract.revision,
        expect=contract.expect,
        cases=tuple(map(case, contract.cases)),
        tensors=contract.tensors,
        tokenizer=contract.tokenizer,
    )


def check(request: CheckRequest) -> CheckReport:
    """Check one checkpoint.

    Raises:
        UsageError: An expectation speaks of something that does not exist, a text cannot be tokenized, or the device
            is none.
    """
    if request.device != "auto":
        # Not on top: few checks name a device, and imports are most of a check's time.
        from bertshape.pipelines.request import check_device

        check_device(request.device)
    try:
        checkpoint = open_checkpoint(request.model, revision=request.revision, offline=request.offline)
        architecture = resolve(checkpoint.config, checkpoint.config_path)
        needs_tokens = bool(request.cases or request.run or _shape_expectations(request))
        # A conversion would import torch: not for the few rules that need no text.
        tokenizer = load_tokenizer(checkpoint) if needs_tokens or not needs_conversion(checkpoint) else None
    except BertshapeError as error:
        return CheckReport(request.model, error=error)
    findings = check_soundness(checkpoint, architecture, tokenizer)
    if request.values:
        from bertshape.soundness.values import check_values

        findings += check_values(checkpoint)
    outcomes = list(_static_outcomes(request, checkpoint, architecture, tokenizer))
    if tokenizer is not None and needs_tokens:
        # Not on top: pooling, prediction and inspection take as long to import as all that a check reads.
        from bertshape.pipelines.check_case import check_case
        from bertshape.pipelines.model import Model

        model = Model(checkpoint, architecture, tokenizer, length_limits(checkpoint, architecture, tokenizer))
        for case in request.cases or (CheckCase(DEFAULT_TEXT),):
            outcome, more = check_case(request, _shape_expectations(request), model, case)
            findings += [finding for finding in more if finding not in findings]
            outcomes += outcome
    errors = tuple(finding.message for finding in findings if finding.severity == "error")
    headers, stored = checkpoint.headers, stored_backbone(checkpoint, architecture)
    return CheckReport(
        name=checkpoint.name,
        summary=facts.scalars(checkpoint, architecture, tokenizer),
        backbone_tensors=None if stored is None else len(stored),
        stored_tensors=len(headers.tensors) if headers else None,
        bytes_read=headers.bytes_read if headers else None,
        weight_bytes=headers.total_bytes if headers else None,
        findings=tuple(findings),
        outcomes=(Outcome("soundness", errors), *outcomes),
    )


def _shape_expectations(request: CheckRequest) -> list[Expectation]:
    """Expectations that speak of a text: all that are neither about the checkpoint nor about stored tensors."""
    static = set(facts.SCALAR_NAMES)
    return [item for item in request.expect if item.name not in static and not item.name.startswith("tensor:")]


def _static_outcomes(
    request: CheckRequest, checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer | None
) -> Iterator[Outcome]:
    named = facts.named_tensors(checkpoint, architecture)
    subject = Subject(facts.scalars(checkpoint, architecture, tokenizer), {}, {}, named)
    of_text = _shape_expectations(request)
    static = [item for item in request.expect if item not in of_text]
    static += [Expectation(f"tensor:{name}", "=", pattern) for name, pattern in request.tensors.items()]
    yield from outcomes_of(static, match(static, subject))
    if request.tokenizer is not None and tokenizer is not None:
        actual = facts.tokenizer_hash(checkpoint, tokenizer)
        differs = f"tokenizer: expected {request.tokenizer[:19]}..., got {actual[:19]}... ({tokenizer.file})"
        yield Outcome("tokenizer", () if actual == request.tokenizer else (differs,))
