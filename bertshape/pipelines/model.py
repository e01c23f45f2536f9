"""The one way in: a name -> checkpoint, architecture, tokenizer and verdict, opened once for every command."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import (
    Checkpoint,
    as_encode_reads,
    cached_files,
    weights_in_other_formats,
)
from bertshape.checkpoint.quantization import read_quantization
from bertshape.errors import CheckpointError
from bertshape.predict.guess import describe
from bertshape.predict.limits import length_limits, resolve_dtype
from bertshape.soundness.soundness import check_soundness
from bertshape.soundness.weights import pooler_verdict, stored_backbone
from bertshape.tokens.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.checkpoint.recipe import Recipe
    from bertshape.pipelines.model_source import ModelSource
    from bertshape.predict.architecture import Architecture
    from bertshape.report.finding import Finding
    from bertshape.report.report import PoolerVerdict, Weights
    from bertshape.tokens.tokenizer import LoadedTokenizer


@dataclass(frozen=True)
class Verdict:
    """What is known of a model whatever its texts.

    Attributes:
        pooler: What its pooler is worth; None where only loading shows it.
        findings: Config, weights, tokenizer, head and chain checked against each other.
    """

    pooler: PoolerVerdict | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the model's numbers wrong."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


@dataclass(frozen=True)
class Model:
    """A checkpoint, read and judged: what every text that it is given shares.

    Attributes:
        checkpoint: Its facts.
        architecture: Dimensions and family.
        tokenizer: Its tokenizer.
        limits: Declared length limits, and the effective one.
        weights: Which weights are to run; `none` where nothing runs.
        verdict: What is known of it. Of random weights nothing stored is looked at.
    """

    checkpoint: Checkpoint
    architecture: Architecture
    tokenizer: LoadedTokenizer
    limits: Mapping[str, int | None]
    weights: Weights
    verdict: Verdict

    @property
    def recipe(self) -> Recipe:
        """What its files say of how a text becomes a vector."""
        return self.checkpoint.recipe

    def dtype(self, requested: str) -> str:
        """Dtype of the parameters in a run.

        Args:
            requested: A dtype by name, or `auto`.
        """
        stored = self.weights != "random" and self.checkpoint.has_weights
        return resolve_dtype(self.checkpoint, requested, stored=stored)


class UnreadableTokenizerError(CheckpointError):
    """The tokenizer cannot be read or needs what is not installed; the rest of the checkpoint is known.

    Attributes:
        checkpoint: Its facts.
        architecture: Dimensions and family.
        findings: What is known of the rest.
    """

    def __init__(
        self, error: CheckpointError, checkpoint: Checkpoint, architecture: Architecture, findings: Sequence[Finding]
    ) -> None:
        super().__init__(error.message, hint=error.hint, code=error.code)
        self.checkpoint = checkpoint
        self.architecture = architecture
        self.findings = tuple(findings)


def open_model(
    source: ModelSource,
    weights: Weights | None = "none",
    *,
    weights_needed: bool = False,
    as_encode: bool = False,
) -> Model:
    """Open a checkpoint, read all but the data of its weights, and judge it.

    Args:
        source: Which one.
        weights: Weights to run; None for the checkpoint's own where it has some.
        weights_needed: Whether a checkpoint without weights is unsound; not for a prediction alone.
        as_encode: Read it as `SentenceTransformer(folder)` does, not as `AutoModel` and `AutoTokenizer` do.

    Raises:
        UsageError: The name cannot be that of a checkpoint.
        UnreadableTokenizerError: Nothing else is broken than the tokenizer.
        CheckpointError: A file is missing or broken, or there are no weights to run.
        HubError: The Hub does not give the repository.
    """
    checkpoint = source.open()
    if as_encode:
        checkpoint = as_encode_reads(checkpoint)
    architecture = describe(checkpoint)
    chosen = _choose_weights(weights, checkpoint, architecture)
    try:
        with cached_files(checkpoint.location):
            tokenizer = load_tokenizer(checkpoint)
    except CheckpointError as error:
        rest = check_soundness(
            checkpoint, architecture, None, look_at_weights=chosen != "random", weights_needed=weights_needed
        )
        raise UnreadableTokenizerError(error, checkpoint, architecture, rest) from error
    if as_encode and checkpoint.recipe.transformer.lower_case:
        tokenizer.lower_case()
    limits = length_limits(checkpoint, architecture, tokenizer)
    verdict = _judge(checkpoint, architecture, tokenizer, chosen, weights_needed)
    return Model(checkpoint, architecture, tokenizer, limits, chosen, verdict)


def needs_own_code(checkpoint: Checkpoint, architecture: Architecture) -> bool:
    """Whether only code of the checkpoint's own can run it; transformers is not imported to see what it has."""
    if architecture.family is not None or not isinstance(checkpoint.config.get("auto_map"), dict):
        return False
    spec = find_spec("transformers")
    if spec is None or spec.origin is None:
        return True
    name = architecture.model_type.replace("-", "_")
    return not name.isidentifier() or not (Path(spec.origin).parent / "models" / name).is_dir()


def _choose_weights(wanted: Weights | None, checkpoint: Checkpoint, architecture: Architecture) -> Weights:
    """Those asked for, else the stored ones, else random ones for an embedded checkpoint."""
    embedded = checkpoint.location.source == "embedded"
    chosen = wanted or ("random" if embedded else "checkpoint")
    if chosen == "checkpoint" and not checkpoint.has_weights:
        raise weights_in_other_formats(checkpoint) or CheckpointError(
            f"{checkpoint.name} holds no weights: neither model.safetensors nor pytorch_model.bin",
            hint="Predict its shapes: inspect --weights none; inspect --weights random runs it with random numbers.",
            code="weights-missing",
        )
    if chosen == "checkpoint" and checkpoint.weights_error is not None:
        if wanted is not None:
            raise checkpoint.weights_error
        return "none"  # The verdict says why.
    if chosen == "checkpoint" and needs_own_code(checkpoint, architecture):
        if wanted is None:
            return "none"  # The verdict says why.
        raise CheckpointError(
            f"{checkpoint.name} is a {architecture.model_type} model, which transformers has no class of, and its own "
            "code (auto_map) is never run",
            hint="Predict from config.json and the weight headers: inspect --weights none.",
            code="model-type-unknown",
        )
    quantization = read_quantization(checkpoint) if chosen == "checkpoint" else None
    if quantization is None or not quantization.missing_packages:
        return chosen
    if wanted is None:
        return "none"  # The verdict says why.
    raise CheckpointError(
        f"the weights of {checkpoint.name} are quantized by {quantization.name}; loading them needs "
        f"{' and '.join(quantization.packages)}, which are not all installed",
        hint=f"pip install {' '.join(quantization.missing_packages)}, or predict shapes alone: inspect --weights none.",
        code="quantization-package-missing",
    )


def _judge(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer, weights: Weights, needed: bool
) -> Verdict:
    look = weights != "random"
    stored = stored_backbone(checkpoint, architecture) if look else None
    pooler = pooler_verdict(architecture, stored)
    findings = check_soundness(checkpoint, architecture, tokenizer, look_at_weights=look, weights_needed=needed)
    return Verdict("random" if pooler is None and not look else pooler, tuple(findings))
