"""The pipeline of `check`: checkpoint -> soundness -> expectations -> cases -> verdict; torch only for a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bertshape import facts
from bertshape.architectures import resolve
from bertshape.case import Model, make_case
from bertshape.checkpoint import fetch_weights, open_checkpoint
from bertshape.errors import BertshapeError
from bertshape.expectations import Expectation, Mismatch, Subject, match
from bertshape.inspection import predict, run
from bertshape.prediction import length_limits
from bertshape.request import InspectionRequest
from bertshape.soundness import check_soundness, check_values, stored_backbone
from bertshape.tokenizer import load_tokenizer, needs_conversion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bertshape.architectures import Architecture
    from bertshape.checkpoint import Checkpoint
    from bertshape.contract import CheckpointContract, ContractCase
    from bertshape.report import Finding, Report, Weights
    from bertshape.shapes import ShapePattern, TensorShape
    from bertshape.tokenizer import LoadedTokenizer

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
        model: Folder, Hub id or `embedded:` name.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        expect: Expectations on the checkpoint and on every case.
        cases: Texts.
        tensors: Shapes of stored tensors, by perhaps folded names.
        tokenizer: Expected digest of the tokenizer's file.
        values: Look for NaN and infinities in the weights, which reads them all.
        run: Run the model on every case, and require what it shows to be what was predicted.
        device: Where to run.
    """

    model: str
    revision: str | None = None
    offline: bool = False
    expect: tuple[Expectation, ...] = ()
    cases: tuple[CheckCase, ...] = ()
    tensors: Mapping[str, ShapePattern] = field(default_factory=dict)
    tokenizer: str | None = None
    values: bool = False
    run: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class Outcome:
    """One thing that was checked: an expectation, a case, or soundness as a whole.

    Attributes:
        name: What was checked, as a person wrote it.
        problems: One line for each thing that is not as expected; empty where it holds.
    """

    name: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """What one check found.

    Attributes:
        name: The checkpoint's name.
        summary: Names and numbers of the checkpoint; empty where it cannot be read.
        backbone_tensors: Stored tensors of the backbone.
        stored_tensors: All stored tensors.
        bytes_read: Bytes read of the weight files: their headers alone, unless values were looked at.
        weight_bytes: Size of the weight files.
        findings: What the soundness rules say.
        outcomes: Everything that was checked.
        error: Why the checkpoint cannot be read, where it cannot.
    """

    name: str
    summary: Mapping[str, facts.Scalar] = field(default_factory=dict)
    backbone_tensors: int | None = None
    stored_tensors: int | None = None
    bytes_read: int | None = None
    weight_bytes: int | None = None
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    error: BertshapeError | None = None

    @property
    def passed(self) -> bool:
        """Whether everything is as it should be."""
        return self.error is None and not any(outcome.problems for outcome in self.outcomes)


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
        UsageError: An expectation speaks of something that does not exist, or a text cannot be tokenized.
    """
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
        findings += check_values(checkpoint)
    outcomes = list(_static_outcomes(request, checkpoint, architecture, tokenizer))
    if tokenizer is not None and needs_tokens:
        model = Model(checkpoint, architecture, tokenizer, length_limits(checkpoint, architecture, tokenizer))
        for case in request.cases or (CheckCase(DEFAULT_TEXT),):
            outcome, more = _check_case(request, model, case)
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
    yield from _outcomes(static, match(static, subject))
    if request.tokenizer is not None and tokenizer is not None:
        actual = facts.tokenizer_hash(checkpoint, tokenizer)
        differs = f"tokenizer: expected {request.tokenizer[:19]}..., got {actual[:19]}... ({tokenizer.file})"
        yield Outcome("tokenizer", () if actual == request.tokenizer else (differs,))


def _check_case(request: CheckRequest, model: Model, case: CheckCase) -> tuple[list[Outcome], list[Finding]]:
    """Outcomes of the expectations on one text, and what a run found, where one was asked for."""
    weights: Weights = "none"
    if request.run:
        weights = "checkpoint" if model.checkpoint.has_weights else "random"
    wanted = InspectionRequest(
        texts=(case.text,),
        pairs=() if case.pair is None else (case.pair,),
        weights=weights,
        device=request.device,
    )
    wanted.check()
    prepared = make_case(wanted, model)
    report = predict(prepared)
    if request.run:
        if weights == "checkpoint":
            fetch_weights(model.checkpoint)
        report = run(prepared, report)
    expectations = [*_shape_expectations(request)]
    expectations += [Expectation(name, "=", pattern) for name, pattern in case.shapes.items()]
    outcomes = [
        Outcome(f"{outcome.name} for {case.label!r}", outcome.problems)
        for outcome in _outcomes(expectations, match(expectations, _subject(report, model)))
    ]
    input_ids = tuple(token.input_id for token in report.tokenization.rows[0].tokens)
    if case.input_ids is not None:
        outcomes.append(Outcome(f"input_ids for {case.label!r}", tuple(_id_problems(case.input_ids, input_ids))))
    if request.run:
        broken = [finding for finding in report.findings if finding.code == "prediction-disagrees"]
        outcomes.append(Outcome(f"run of {case.label!r}", tuple(finding.message for finding in broken)))
    kept = [finding for finding in report.findings if finding.severity == "error"] if request.run else []
    return outcomes, kept


def _subject(report: Report, model: Model) -> Subject:
    batch = report.tokenization
    scalars = facts.scalars(model.checkpoint, model.architecture, model.tokenizer)
    scalars |= {"batch_size": batch.batch_size, "sequence_length": batch.sequence_length, "num_words": batch.num_words}
    shapes: dict[str, TensorShape] = dict(report.inputs) | {name: row.shape for name, row in report.outputs.items()}
    shapes |= {f"pooled.{name}": row.shape for name, row in report.pooled.items() if row.shape is not None}
    missing = {f"pooled.{name}": row.reason or "" for name, row in report.pooled.items() if row.shape is None}
    if "pooler_output" not in shapes:
        missing["pooler_output"] = "the model has no pooler"
    return Subject(scalars, shapes, missing, facts.named_tensors(model.checkpoint, model.architecture))


def _outcomes(expectations: Iterable[Expectation], mismatches: Iterable[Mismatch]) -> list[Outcome]:
    problems: dict[str, list[str]] = {}
    for mismatch in mismatches:
        problems.setdefault(mismatch.expectation, []).append(mismatch.message)
    return [Outcome(str(item), tuple(problems.get(str(item), ()))) for item in expectations]


def _id_problems(expected: tuple[int, ...], actual: tuple[int, ...]) -> Iterator[str]:
    if expected == actual:
        return
    pairs = zip(expected, actual, strict=False)
    at = next((index for index, (want, got) in enumerate(pairs) if want != got), min(len(expected), len(actual)))
    lengths = f", {len(expected)} against {len(actual)} ids" if len(expected) != len(actual) else ""
    want, got = (str(ids[at]) if at < len(ids) else "nothing" for ids in (expected, actual))
    yield f"input_ids: expected {want}, got {got} at position {at}{lengths}"
