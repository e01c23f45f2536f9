"""The pipeline: request -> case -> predicted report -> real run -> observed report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bertshape.agreement import judge_loading, observe
from bertshape.case import Case, make_case, open_model
from bertshape.checkpoint import fetch_weights
from bertshape.notes import notes
from bertshape.prediction import predict_inputs, predict_outputs, predict_pooled
from bertshape.report import CheckpointFacts, Report, Run
from bertshape.request import InspectionRequest
from bertshape.soundness import pooler_verdict, quick_findings, stored_backbone, tokenizer_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bertshape.forward import ForwardRequest
    from bertshape.pooling import Strategy
    from bertshape.report import Finding, PoolerVerdict, Weights
    from bertshape.request import DType
    from bertshape.tokenization import Padding


def _ignore(report: Report) -> None:
    """Nobody watches."""


def inspect(
    request: InspectionRequest,
    on_prediction: Callable[[Report], None] = _ignore,
    on_run: Callable[[Report], None] = _ignore,
) -> Report:
    """Inspect texts: what comes out of the checkpoint, in which shape.

    Args:
        request: What to inspect.
        on_prediction: Called with the predicted report where a run follows, before weights are downloaded.
        on_run: Called with it once more when the weights are there, before torch is imported.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    request.check()
    case = make_case(request, open_model(request.model, revision=request.revision, offline=request.offline))
    report = predict(case)
    if case.weights == "none":
        return report
    on_prediction(report)
    if case.weights == "checkpoint":
        fetch_weights(case.model.checkpoint, progress=request.progress)
    on_run(report)
    return run(case, report)


@dataclass(frozen=True)
class Verdict:
    """What is said of a model whatever its texts.

    Attributes:
        pooler: What its pooler is worth.
        findings: Findings on config, weights and family.
    """

    pooler: PoolerVerdict | None
    findings: tuple[Finding, ...]


def judge_model(case: Case) -> Verdict:
    """Hold config, weights and tokenizer of a case's model to each other."""
    checkpoint, architecture = case.model.checkpoint, case.model.architecture
    stored = stored_backbone(checkpoint, architecture) if case.weights != "random" else None
    pooler = pooler_verdict(architecture, stored)
    if case.weights == "random" and pooler is None:
        pooler = "random"
    return Verdict(pooler, tuple(quick_findings(checkpoint, architecture, case.model.tokenizer, stored)))


def predict(case: Case, verdict: Verdict | None = None) -> Report:
    """The report of a case without a run.

    Args:
        case: The case.
        verdict: What is known of its model, where many cases share one.
    """
    verdict = verdict or judge_model(case)
    checkpoint, architecture = case.model.checkpoint, case.model.architecture
    report = Report(
        checkpoint=_facts(case, verdict.pooler),
        run=Run(executed=False),
        tokenization=case.tokenization,
        inputs=predict_inputs(architecture, case.tokenization),
        outputs=predict_outputs(architecture, case.tokenization, case.dtype, attentions=case.request.attentions),
        pooled=predict_pooled(
            case.strategies, architecture, case.tokenization, case.dtype, declared=case.model.declared_pooling
        ),
    )
    of_texts = tokenizer_findings(checkpoint, architecture, case.model.tokenizer, case.tokenization)
    return report.with_findings(*notes(report), *of_texts, *verdict.findings)


def run(case: Case, report: Report) -> Report:
    """The report of a case with what a real run shows.

    Args:
        case: The case.
        report: Its prediction.

    Raises:
        BertshapeError: The weights cannot be loaded, or the device fails.
    """
    # Not on top: only here does an inspection begin to need torch.
    from bertshape.forward import Runner

    observation = Runner(forward_request(case)).observe(case.tokenization, runnable(case, report))
    report = observe(report, observation, family_known=case.model.architecture.family is not None)
    if case.weights == "random":
        return report
    return judge_loading(report, case.model.checkpoint, case.model.architecture, observation.loading)


def inspect_texts(
    texts: str | Sequence[str],
    pairs: str | Sequence[str] = (),
    *,
    model: str | None = None,
    revision: str | None = None,
    offline: bool = False,
    weights: Weights | None = None,
    device: str = "auto",
    dtype: DType = "auto",
    pool: Sequence[str] = (),
    max_length: int | None = None,
    truncation: bool | None = None,
    padding: Padding = "longest",
    attentions: bool = False,
) -> Report:
    """Inspect texts from Python; the same report as `bertshape inspect`.

    The arguments are those of `InspectionRequest`; a single string stands for a list of one.

    Returns:
        The report; `report.to_dict()` is the JSON document of the command line.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    request = InspectionRequest(
        texts=(texts,) if isinstance(texts, str) else tuple(texts),
        pairs=(pairs,) if isinstance(pairs, str) else tuple(pairs),
        model=model,
        revision=revision,
        offline=offline,
        weights=weights,
        device=device,
        dtype=dtype,
        pool=tuple(pool),
        max_length=max_length,
        truncation=truncation,
        padding=padding,
        attentions=attentions,
    )
    return inspect(request)


def _facts(case: Case, pooler: PoolerVerdict | None) -> CheckpointFacts:
    checkpoint, architecture = case.model.checkpoint, case.model.architecture
    snapshot, sentence = checkpoint.location.snapshot, checkpoint.sentence_embedding
    declared = checkpoint.config.get("architectures")
    first = declared[0] if isinstance(declared, list) and declared else None
    return CheckpointFacts(
        name_or_path=checkpoint.name,
        source=checkpoint.location.source,
        revision=snapshot.commit if snapshot else None,
        model_type=architecture.model_type,
        architecture=first if isinstance(first, str) else None,
        weights=case.weights,
        dtype=case.dtype,
        parameters=architecture.parameters(),
        dimensions=asdict(architecture.dimensions),
        length_limits=case.model.limits,
        sentence_embedding=sentence.to_dict() if sentence else None,
        pooler=pooler,
    )


def forward_request(case: Case) -> ForwardRequest:
    """What `forward` needs to know of a case's model."""
    from bertshape.forward import ForwardRequest

    checkpoint = case.model.checkpoint
    return ForwardRequest(
        folder=checkpoint.folder if case.weights == "checkpoint" else None,
        config=checkpoint.config,
        architecture=case.model.architecture,
        device=case.request.device,
        dtype=case.dtype,
        safetensors=checkpoint.headers is not None,
        attentions=case.request.attentions,
    )


def runnable(case: Case, report: Report) -> list[Strategy]:
    """Strategies of a case that have a result."""
    return [strategy for strategy in case.strategies if report.pooled[strategy.name].shape is not None]
