"""What `embed` is asked for, and what keeps a model from giving it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import steps_without_weights
from bertshape.errors import UsageError
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.output_paths import check_output
from bertshape.pipelines.request import LengthOptions, Prompting, RunOptions, SaveOptions
from bertshape.pooling.shapes import Unavailable, predict_shape, select
from bertshape.predict.outputs import pooling_facts
from bertshape.predict.sentence_chain import model_outputs, predict_embedding
from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.pipelines.model import Model
    from bertshape.pooling.strategy import Strategy


FORMATS = (".safetensors", ".npz", ".npy", ".parquet", ".arrow", ".jsonl")
"""Endings of the files that vectors are written to."""
_ONE_ARRAY = (".npy", ".parquet", ".arrow", ".jsonl")


@dataclass(frozen=True, kw_only=True)
class VectorRequest:
    """Which vectors to make of texts.

    Attributes:
        source: Which model. It must be named, unless random weights are asked for by name.
        run: How to run it.
        lengths: Where texts are cut; where `encode` cuts unless asked otherwise.
        prompting: What stands before each text; the checkpoint's default prompt unless asked otherwise.
        pooling: Strategies; empty for what the checkpoint declares.
        truncate_dim: Cut the sentence embedding to so many numbers.
        batch_size: Texts that run together; None for as many as have some number of tokens.
        allow_unsound: Make vectors of a model with errors among its findings too.
    """

    source: ModelSource = field(default_factory=ModelSource)
    run: RunOptions = field(default_factory=RunOptions)
    lengths: LengthOptions = field(default_factory=LengthOptions)
    prompting: Prompting = field(default_factory=Prompting)
    pooling: tuple[str, ...] = ()
    truncate_dim: int | None = None
    batch_size: int | None = None
    allow_unsound: bool = False

    def check(self) -> None:
        """Refuse what cannot be carried out with any checkpoint.

        Raises:
            UsageError: An option is not one, or contradicts another.
        """
        self.lengths.check()
        self.prompting.check()
        self.run.check()
        if self.source.name is None and self.run.weights != "random":
            hint = "Pass -m FOLDER or a Hub id; --weights random writes random vectors of the embedded default."
            raise UsageError(
                "embed needs a model: the embedded default has no weights", hint=hint, code="model-missing"
            )
        if self.pooling and self.truncate_dim is not None:
            raise UsageError(
                "--truncate-dim cuts the sentence embedding, which --pooling leaves out",
                hint="Leave one of the two out.",
                code="truncate-dim-pooling",
            )
        if self.batch_size is not None and self.batch_size < 1:
            raise UsageError(f"--batch-size is {self.batch_size}", hint="Pass 32 or so.", code="batch-size-invalid")

    @property
    def one_array(self) -> bool:
        """Whether one array is wanted where no strategy is named."""
        return True


@dataclass(frozen=True, kw_only=True)
class EmbedRequest(VectorRequest):
    """What to embed, and where to write it.

    Attributes:
        save: The file to write.
        skip: Pass over lines that hold no text and texts that cannot be run, in place of stopping there.
        verify: Give so many of the texts to sentence-transformers too, and compare; None for none.
    """

    save: SaveOptions
    skip: bool = False
    verify: int | None = None

    def check(self) -> None:
        """Refuse what cannot be carried out with any checkpoint.

        Raises:
            UsageError: An option is not one, or contradicts another.
        """
        super().check()
        self._check_output()
        self._check_verify()

    @property
    def one_array(self) -> bool:
        """Whether the file holds one array where no strategy is named: tables have a column `vector`."""
        return self.save.path.suffix in _ONE_ARRAY

    def options(self) -> dict[str, str]:
        """What the file says of how its vectors were made: what was asked for, as strings."""
        given = {
            "pooling": ",".join(self.pooling),
            "dtype": self.run.dtype,
            "max_length": self.lengths.max_length,
            "truncate_dim": self.truncate_dim,
            "prompt_name": self.prompting.name,
            "prompt": "" if self.prompting.none else self.prompting.text,
            "revision": self.source.revision,
        }
        return {name: str(value) for name, value in given.items() if value not in (None, "", "auto")}

    def _check_output(self) -> None:
        path = self.save.path
        if path.suffix not in FORMATS:
            hint = f"Name the file FILE with one of {', '.join(FORMATS)}."
            message = f"vectors cannot be written to {path}: its ending names no format"
            raise UsageError(message, hint=hint, code="save-format")
        check_output(path, "vectors")
        if path.suffix in (".parquet", ".arrow") and find_spec("pyarrow") is None:
            hint = 'Install it: pip install "bertshape[parquet]".'
            raise UsageError(f"{path}: {path.suffix} files need pyarrow", hint=hint, code="pyarrow-missing")
        if path.suffix == ".npy" and len(self.pooling) > 1:
            hint = "Name one strategy, or write .npz."
            raise UsageError("a .npy file holds one array, and --pooling names several", hint=hint, code="npy-arrays")

    def _check_verify(self) -> None:
        if self.verify is None:
            return
        if self.verify < 1:
            raise UsageError(f"--verify is {self.verify}", hint="Pass 10 or so.", code="verify-invalid")
        given = "--pooling" if self.pooling else "--weights random" if self.run.weights == "random" else None
        if given is not None:
            raise UsageError(
                f"--verify compares sentence embeddings with those of encode, and {given} makes none to compare",
                hint="Leave one of the two out.",
                code="verify-nothing",
            )


def is_wrong(findings: Iterable[Finding], strategies: tuple[Strategy, ...]) -> bool:
    """Whether vectors would be partly random: a file of numbers has no place to say so."""
    pooler = any("pooler" in strategy.name.split("+") for strategy in strategies)
    return any(row.severity == "error" or (pooler and row.code == "pooler-random") for row in findings)


def vector_strategies(request: VectorRequest, model: Model) -> tuple[Strategy, ...]:
    """Strategies asked for, or the declared one; each must give one vector per text."""
    named = request.pooling or ((model.recipe.pooling,) if model.recipe.pooling else ())
    chosen = select(named) if named else ()
    facts = pooling_facts(model.architecture, (1, 1, 1), "float32")
    if model.architecture.family is None:
        facts = replace(facts, has_pooler=True)  # Only a run shows it; what runs refuses it then.
    for strategy in chosen:
        shape = predict_shape(strategy, facts)
        if isinstance(shape, Unavailable) or len(shape.sizes) != 2:
            reason = shape.reason if isinstance(shape, Unavailable) else "it gives several vectors per text"
            message = f"--pooling {strategy.name}: {reason}"
            raise UsageError(message, hint="See bertshape poolings.", code="pooling-unavailable")
    return chosen


def chain_breaks(request: VectorRequest, model: Model) -> tuple[Finding, ...]:
    """Why the declared sentence embedding cannot be followed to its end."""
    if request.pooling or any(step.refused for step in model.recipe.steps):
        return ()  # What sentence-transformers refuses is a finding of the files.
    lacking = steps_without_weights(model.checkpoint) if model.weights == "checkpoint" else ()
    outputs = model_outputs(model.architecture, 1, 1, "float32")
    for step in predict_embedding(model.recipe.steps, outputs, lacking=lacking):
        if step.shape is None:
            message = f"the sentence embedding of {model.checkpoint.name} ends at its step {step.name}: {step.reason}"
            return (Finding("chain-broken", "error", message, "Name strategies with --pooling to leave it out."),)
    return ()
