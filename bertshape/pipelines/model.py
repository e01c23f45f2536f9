"""A request with all that it names, opened and read: checkpoint, architecture, tokenizer, batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import CheckpointError, UsageError
from bertshape.pooling.shapes import select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.predict.config import resolve
from bertshape.predict.limits import length_limits, resolve_dtype
from bertshape.predict.outputs import check_fits
from bertshape.tokens.batch import tokenize
from bertshape.tokens.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.pooling.strategy import Strategy
    from bertshape.predict.architecture import Architecture
    from bertshape.report.report import Weights
    from bertshape.tokens.batch import Tokenization
    from bertshape.tokens.tokenizer import LoadedTokenizer


@dataclass(frozen=True)
class Model:
    """A checkpoint, read: what every text that it is given shares.

    Attributes:
        checkpoint: Its facts.
        architecture: Dimensions and family.
        tokenizer: Its tokenizer.
        limits: Declared length limits, and the effective one.
    """

    checkpoint: Checkpoint
    architecture: Architecture
    tokenizer: LoadedTokenizer
    limits: Mapping[str, int | None]

    @property
    def declared_pooling(self) -> str | None:
        """The strategy that the checkpoint itself declares."""
        return self.checkpoint.sentence_embedding.pooling if self.checkpoint.sentence_embedding else None


@dataclass(frozen=True)
class Case:
    """One batch for a model.

    Attributes:
        request: What was asked.
        model: The checkpoint, read.
        tokenization: The batch.
        strategies: Pooling strategies to show.
        tasks: Task heads to show.
        weights: Which weights to run, if any.
        dtype: Dtype of the parameters.
    """

    request: InspectionRequest
    model: Model
    tokenization: Tokenization
    strategies: tuple[Strategy, ...]
    tasks: tuple[str, ...]
    weights: Weights
    dtype: str


def open_model(model: str | None, *, revision: str | None = None, offline: bool = False) -> Model:
    """Open a checkpoint and read all but its weights.

    Raises:
        UsageError: The name cannot be a checkpoint's.
        CheckpointError: A file is missing or broken.
        HubError: The Hub does not give the repository.
    """
    checkpoint = open_checkpoint(model, revision=revision, offline=offline)
    architecture = resolve(checkpoint.config, checkpoint.config_path)
    tokenizer = load_tokenizer(checkpoint)
    return Model(checkpoint, architecture, tokenizer, length_limits(checkpoint, architecture, tokenizer))


def make_case(request: InspectionRequest, model: Model) -> Case:
    """Tokenize the texts of a request, and settle what is to be run.

    Raises:
        UsageError: The texts do not fit the model, or an option does not fit the texts.
        CheckpointError: There are no weights to run, or a token has no row in the embedding.
    """
    strategies = select(request.pool)
    tasks = _select_tasks(request)
    weights = choose_weights(request, model.checkpoint)
    check_options(request, model, weights)
    tokenization = _tokenize(request, model)
    check_fits(model.checkpoint, model.architecture, tokenization)
    declared = model.declared_pooling
    if not request.pool and declared is not None and declared not in STRATEGIES:
        # A declared combination such as cls+mean is shown too; the table of single strategies lacks it.
        strategies = (*strategies, *select([declared]))
    stored = weights != "random" and model.checkpoint.has_weights
    dtype = resolve_dtype(model.checkpoint, request.dtype, stored=stored)
    return Case(request, model, tokenization, strategies, tasks, weights, dtype)


def _select_tasks(request: InspectionRequest) -> tuple[str, ...]:
    if not request.tasks:
        return ()
    # Not on top: most requests name none, and imports are most of a prediction's time.
    from bertshape.predict.heads import select_tasks

    return select_tasks(request.tasks)


def choose_weights(request: InspectionRequest, checkpoint: Checkpoint) -> Weights:
    """Which weights to run: those asked for, else the stored ones, else random ones for an embedded checkpoint.

    Raises:
        CheckpointError: There are none to run.
    """
    embedded = checkpoint.location.source == "embedded"
    chosen = request.weights or ("random" if embedded else "checkpoint")
    if chosen == "checkpoint" and not checkpoint.has_weights:
        raise CheckpointError(
            f"{checkpoint.name} holds no weights: neither model.safetensors nor pytorch_model.bin",
            hint="Run it with --weights random; inspect also predicts, with --weights none.",
            code="weights-missing",
        )
    return chosen


def check_options(request: InspectionRequest, model: Model, weights: Weights) -> None:
    """Refuse options that mean nothing for this checkpoint or without a run."""
    if request.save is not None and weights == "none":
        hint = "Leave --weights none out, or --save."
        raise UsageError("--save needs a run, and --weights none runs nothing", hint=hint, code="save-without-run")
    if request.truncate_dim is not None and model.checkpoint.sentence_embedding is None:
        raise UsageError(
            f"--truncate-dim cuts a sentence embedding, and {model.checkpoint.name} declares none (no modules.json)",
            hint="Leave it out.",
            code="no-sentence-embedding",
        )


def settle_length(request: InspectionRequest, model: Model) -> tuple[bool, int | None]:
    """Whether rows are cut, and the length that they are cut or padded to.

    Raises:
        UsageError: There is none, and one is needed.
    """
    truncation = request.max_length is not None if request.truncation is None else request.truncation
    wanted = request.max_length
    if wanted is None and (truncation or request.padding == "max_length"):
        wanted = model.limits["effective"]
        if wanted is None:
            raise UsageError(
                "the checkpoint declares no length limit to cut or pad to",
                hint="Pass --max-length N.",
                code="max-length-needed",
            )
    return truncation, wanted


def _tokenize(request: InspectionRequest, model: Model) -> Tokenization:
    truncation, wanted = settle_length(request, model)
    return tokenize(
        model.tokenizer,
        request.texts,
        request.pairs or None,
        padding=request.padding,
        truncation=truncation,
        max_length=wanted,
    )
