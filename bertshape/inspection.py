"""The pipeline: request -> case -> predicted report -> real run -> observed report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bertshape.agreement import judge_loading, observe
from bertshape.architectures import resolve
from bertshape.checkpoint import fetch_weights, open_checkpoint
from bertshape.errors import CheckpointError, UsageError
from bertshape.notes import notes
from bertshape.pooling import STRATEGIES, select
from bertshape.prediction import (
    check_fits,
    length_limits,
    predict_inputs,
    predict_outputs,
    predict_pooled,
    resolve_dtype,
)
from bertshape.report import CheckpointFacts, Report, Run
from bertshape.request import InspectionRequest
from bertshape.soundness import pooler_verdict, stored_backbone, tokenizer_findings, weight_findings
from bertshape.tokenization import tokenize
from bertshape.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bertshape.architectures import Architecture
    from bertshape.checkpoint import Checkpoint
    from bertshape.forward import Observation
    from bertshape.pooling import Strategy
    from bertshape.report import PoolerVerdict, Weights
    from bertshape.request import DType
    from bertshape.tokenization import Padding, Tokenization
    from bertshape.tokenizer import LoadedTokenizer


@dataclass(frozen=True)
class Case:
    """A request with all that it names, opened and read.

    Attributes:
        request: What was asked.
        checkpoint: Facts of the checkpoint.
        architecture: Dimensions and family.
        tokenizer: The checkpoint's tokenizer.
        limits: Declared length limits, and the effective one.
        tokenization: The batch.
        strategies: Pooling strategies to show.
        weights: Which weights to run, if any.
        dtype: Dtype of the parameters.
    """

    request: InspectionRequest
    checkpoint: Checkpoint
    architecture: Architecture
    tokenizer: LoadedTokenizer
    limits: Mapping[str, int | None]
    tokenization: Tokenization
    strategies: tuple[Strategy, ...]
    weights: Weights
    dtype: str

    @property
    def declared_pooling(self) -> str | None:
        """The strategy that the checkpoint itself declares."""
        return _declared_pooling(self.checkpoint)


def inspect(request: InspectionRequest, on_prediction: Callable[[Report], None] | None = None) -> Report:
    """Inspect texts: what comes out of the checkpoint, in which shape.

    Args:
        request: What to inspect.
        on_prediction: Called with the predicted report before torch is imported, where a run follows.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    case = _prepare(request)
    report = _predict(case)
    if case.weights == "none":
        return report
    if on_prediction is not None:
        on_prediction(report)
    observation = _run(case, report)
    report = observe(report, observation)
    if case.weights == "random":
        return report
    return judge_loading(report, case.checkpoint, case.architecture, observation.loading)


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


def _prepare(request: InspectionRequest) -> Case:
    request.check()
    strategies = select(request.pool)
    checkpoint = open_checkpoint(request.model, revision=request.revision, offline=request.offline)
    weights = _choose_weights(request, checkpoint)
    architecture = resolve(checkpoint.config, checkpoint.config_path)
    tokenizer = load_tokenizer(checkpoint)
    limits = length_limits(checkpoint, architecture, tokenizer)
    tokenization = _tokenize(request, tokenizer, limits)
    check_fits(checkpoint, architecture, tokenization)
    declared = _declared_pooling(checkpoint)
    if not request.pool and declared is not None and declared not in STRATEGIES:
        # A declared combination such as cls+mean is shown too; the table of single strategies lacks it.
        strategies = (*strategies, *select([declared]))
    dtype = resolve_dtype(checkpoint, request.dtype, stored=weights != "random" and checkpoint.has_weights)
    return Case(request, checkpoint, architecture, tokenizer, limits, tokenization, strategies, weights, dtype)


def _choose_weights(request: InspectionRequest, checkpoint: Checkpoint) -> Weights:
    embedded = checkpoint.location.source == "embedded"
    chosen = request.weights or ("random" if embedded else "checkpoint")
    if chosen == "checkpoint" and not checkpoint.has_weights:
        raise CheckpointError(
            f"{checkpoint.name} holds no weights: neither model.safetensors nor pytorch_model.bin",
            hint="Run it with --weights random, or predict with --weights none.",
            code="weights-missing",
        )
    return chosen


def _tokenize(request: InspectionRequest, tokenizer: LoadedTokenizer, limits: Mapping[str, int | None]) -> Tokenization:
    truncation = request.max_length is not None if request.truncation is None else request.truncation
    wanted = request.max_length
    if wanted is None and (truncation or request.padding == "max_length"):
        wanted = limits["effective"]
        if wanted is None:
            raise UsageError(
                "the checkpoint declares no length limit to cut or pad to",
                hint="Pass --max-length N.",
                code="max-length-needed",
            )
    return tokenize(
        tokenizer,
        request.texts,
        request.pairs or None,
        padding=request.padding,
        truncation=truncation,
        max_length=wanted,
    )


def _declared_pooling(checkpoint: Checkpoint) -> str | None:
    return checkpoint.sentence_embedding.pooling if checkpoint.sentence_embedding else None


def _predict(case: Case) -> Report:
    stored = stored_backbone(case.checkpoint, case.architecture) if case.weights != "random" else None
    pooler = pooler_verdict(case.architecture, stored)
    if case.weights == "random" and pooler is None:
        pooler = "random"
    report = Report(
        checkpoint=_facts(case, pooler),
        run=Run(executed=False),
        tokenization=case.tokenization,
        inputs=predict_inputs(case.architecture, case.tokenization),
        outputs=predict_outputs(case.architecture, case.tokenization, case.dtype, attentions=case.request.attentions),
        pooled=predict_pooled(
            case.strategies, case.architecture, case.tokenization, case.dtype, declared=case.declared_pooling
        ),
    )
    findings = notes(report)
    findings += tokenizer_findings(case.checkpoint, case.architecture, case.tokenizer, case.tokenization)
    if stored is not None:
        findings += weight_findings(case.checkpoint, case.architecture, stored)
    return report.with_findings(*findings)


def _facts(case: Case, pooler: PoolerVerdict | None) -> CheckpointFacts:
    checkpoint, architecture = case.checkpoint, case.architecture
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
        length_limits=case.limits,
        sentence_embedding=sentence.to_dict() if sentence else None,
        pooler=pooler,
    )


def _run(case: Case, report: Report) -> Observation:
    # Not on top: only here does an inspection begin to need torch.
    from bertshape import forward

    stored = case.weights == "checkpoint"
    if stored:
        fetch_weights(case.checkpoint, progress=case.request.progress)
    request = forward.ForwardRequest(
        folder=case.checkpoint.folder if stored else None,
        config=case.checkpoint.config,
        architecture=case.architecture,
        device=case.request.device,
        dtype=case.dtype,
        safetensors=case.checkpoint.headers is not None,
        attentions=case.request.attentions,
    )
    runnable = [strategy for strategy in case.strategies if report.pooled[strategy.name].shape is not None]
    return forward.run(request, case.tokenization, runnable)
