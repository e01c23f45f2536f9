"""The pipeline of `check`: checkpoint -> verdict -> expectations -> cases; torch only for a run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bertshape.checkpoint.stored_values import unwatched
from bertshape.contract.expectations import BEHAVIOURS, ONLY_BY_RUN, Expectation, Subject, match
from bertshape.errors import BertshapeError, UsageError, as_failure
from bertshape.pipelines import facts
from bertshape.pipelines.check_request import DEFAULT_TEXT, CheckCase, CheckRequest
from bertshape.pipelines.model import UnreadableTokenizerError, open_model
from bertshape.pipelines.model_source import check_device
from bertshape.pipelines.packages import check_packages
from bertshape.pipelines.places import with_places
from bertshape.report.check import CheckReport, Outcome, outcomes_of
from bertshape.report.finding import Finding
from bertshape.soundness.coverage import coverage
from bertshape.soundness.values import check_values
from bertshape.soundness.weights import stored_backbone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.stored_values import Read
    from bertshape.pipelines.model import Model
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer


def check(request: CheckRequest, read: Read = unwatched) -> CheckReport:
    """Check one checkpoint; one that cannot be read gives a report that says why.

    Args:
        request: What is to be checked.
        read: Takes how far the reading of values is.

    Raises:
        UsageError: An expectation names something that does not exist, a text cannot be tokenized, or the device
            is none.
    """
    start = time.perf_counter()
    report = with_places(_check(request, read), request)
    return replace(report, seconds=time.perf_counter() - start)


def check_all(requests: Iterable[CheckRequest], read: Read = unwatched) -> list[CheckReport]:
    """Check several checkpoints; one that fails, however it does, loses no report of the others.

    Args:
        requests: What is to be checked.
        read: Takes how far the reading of values is.

    Raises:
        Exception: What `check` raises, where it does so for each of them.
    """
    reports, raised = list[CheckReport](), list[Exception]()
    for request in requests:
        try:
            reports.append(check(request, read))
        except Exception as error:
            raised.append(error)
            reports.append(CheckReport(request.name, error=as_failure(error)))
    if raised and len(raised) == len(reports):
        raise raised[0]
    return reports


def _check(request: CheckRequest, read: Read) -> CheckReport:
    check_device(request.device)
    if request.run:
        check_packages("check --run")
    start = time.perf_counter()
    try:
        model = open_model(request.source, weights_needed=True)
    except UnreadableTokenizerError as error:
        return _without_tokenizer(request, error, read)
    except BertshapeError as error:
        return CheckReport(request.name, error=error)
    try:
        return _judge(request, model, read, start)
    except UsageError:
        raise
    except BertshapeError as error:  # It cannot encode the text of a case, or its weights cannot be loaded.
        return CheckReport(request.name, error=error, findings=tuple(model.verdict.findings))


def _without_tokenizer(request: CheckRequest, error: UnreadableTokenizerError, read: Read) -> CheckReport:
    """What is known of a checkpoint whose tokenizer cannot be read; nothing is asked of texts."""
    checkpoint, architecture = error.checkpoint, error.architecture
    more = check_values(checkpoint, read) if request.values else []
    report = CheckReport(
        request.name,
        error=error,
        summary=facts.without_tokenizer(checkpoint, architecture),
        findings=(*error.findings, *more),
    )
    return _with_coverage(report, checkpoint, architecture, None, request)


def _with_coverage(
    report: CheckReport,
    checkpoint: Checkpoint,
    architecture: Architecture,
    tokenizer: LoadedTokenizer | None,
    request: CheckRequest,
) -> CheckReport:
    """The same with what was looked at."""
    run = request.run and tokenizer is not None
    covered = coverage(checkpoint, architecture, tokenizer, values=request.values, run=run)
    headers, stored = checkpoint.headers, stored_backbone(checkpoint, architecture)
    return replace(
        report,
        backbone_tensors=None if stored is None else len(stored),
        stored_tensors=len(headers.tensors) if headers else None,
        bytes_read=headers.bytes_read if headers else None,
        weight_bytes=headers.total_bytes if headers else None,
        seen=covered.seen,
        unseen=covered.unseen,
    )


def _judge(request: CheckRequest, model: Model, read: Read, start: float) -> CheckReport:
    findings = [*model.verdict.findings]
    if request.values:
        findings += check_values(model.checkpoint, read)
    opened = time.perf_counter() - start
    outcomes = list(_static_outcomes(request, model))
    if request.tokenizer is not None or (request.values and request.digests):
        # OpenSSL takes 4 ms to import, which a check without a contract does without.
        from bertshape.pipelines.check_digests import digest_outcomes

        outcomes += digest_outcomes(request, model, read)
    if request.tensors and not (request.values and request.digests):
        findings.append(_not_compared(request))
    of_cases, more = _cases(request, model)
    outcomes += of_cases
    findings += [finding for finding in dict.fromkeys(more) if finding not in findings]
    failing = ("error", "warning") if request.fail_on == "warning" else ("error",)
    errors = tuple(finding.message for finding in findings if finding.severity in failing)
    report = CheckReport(
        name=model.checkpoint.name,
        summary=facts.all_scalars(model),
        findings=tuple(findings),
        outcomes=(Outcome("soundness", errors, seconds=opened), *outcomes),
    )
    return _with_coverage(report, model.checkpoint, model.architecture, model.tokenizer, request)


def _cases(request: CheckRequest, model: Model) -> tuple[list[Outcome], list[Finding]]:
    """What comes of the texts, where anything is asked of them."""
    outcomes, findings = list[Outcome](), list[Finding]()
    of_texts = _shape_expectations(request)
    behaviours = [item.name for item in request.expect if item.name in BEHAVIOURS]
    shown_by_run = [item.name for item in request.expect if item.name in ONLY_BY_RUN]
    if shown_by_run and not request.run:
        hint = "Pass --run; for pytest, set bertshape_run = true."
        raise UsageError(f"{shown_by_run[0]} is only known by running", hint=hint, code="behaviour-needs-run")
    if not (request.cases or request.run or of_texts):
        return outcomes, findings
    runner = _of_texts().CaseRunner(model, request.device) if request.run else None
    for case in request.cases or (CheckCase(DEFAULT_TEXT),):
        start = time.perf_counter()
        outcome, more = _of_texts().check_case(model, of_texts, case, runner)
        outcome += [runner.behave(name, case) for name in behaviours if runner is not None]
        share = (time.perf_counter() - start) / max(len(outcome), 1)  # One forward pass answers all of them.
        outcomes += [replace(item, seconds=share) for item in outcome]
        findings += more
    return outcomes, findings


def _of_texts() -> Any:
    # What predicts and runs takes 25 ms to import, which a check of the files alone does without.
    from bertshape.pipelines import check_case

    return check_case


def list_names(request: CheckRequest) -> Iterator[str]:
    """Every name that an expectation may have, with its value now, as `NAME=VALUE`; what only a run shows has none.

    Raises:
        BertshapeError: The checkpoint cannot be read.
    """
    subject = _of_texts().case_subject(open_model(request.source), (*request.cases, CheckCase(DEFAULT_TEXT))[0])
    for name, value in subject.scalars.items():
        if value is not None:
            yield str(Expectation(name, "=", value))
    for name, shape in subject.shapes.items():
        yield f"{name}={shape.by_size}"
    yield from BEHAVIOURS
    for name, shape in subject.tensors.items():
        yield f"tensor:{name}={shape.by_size}"


def _shape_expectations(request: CheckRequest) -> list[Expectation]:
    """Expectations on a text: all that are neither about the checkpoint nor about stored tensors."""
    return [
        item
        for item in request.expect
        if not facts.is_scalar(item.name) and not item.name.startswith("tensor:") and item.name not in BEHAVIOURS
    ]


def _static_outcomes(request: CheckRequest, model: Model) -> Iterator[Outcome]:
    of_text = _shape_expectations(request)
    static = [item for item in request.expect if item not in of_text and item.name not in BEHAVIOURS]
    static += [Expectation(f"tensor:{name}", "=", pattern) for name, pattern in request.tensors.items()]
    if not static:
        return
    named = facts.with_config(model, (item.name for item in request.expect))
    subject = Subject(named, {}, {}, facts.named_tensors(model))
    yield from outcomes_of(static, match(static, subject))


def _not_compared(request: CheckRequest) -> Finding:
    """Without their digests, other numbers under the same names look the same."""
    return Finding(
        "values-not-compared",
        "note",
        "the stored tensors were compared by name and shape; their values were not",
        "Pass --values to compare them too."
        if request.digests
        else "Write them into the contract with `bertshape snapshot --values`, and pass --values here.",
    )
