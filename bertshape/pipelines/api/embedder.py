"""`bertshape embed` from Python, for texts that come in batches: the model is loaded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertshape.corpus.text_file import Record
from bertshape.errors import CheckpointError, UsageError
from bertshape.pipelines.embed_request import VectorRequest
from bertshape.pipelines.events import SILENT
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.packages import check_packages
from bertshape.pipelines.prompts import prompting_of
from bertshape.pipelines.reconcile import non_finite
from bertshape.pipelines.request import LengthOptions, RunOptions
from bertshape.pipelines.vector_maker import RunningMaker, open_maker
from bertshape.pipelines.verify import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy
    from numpy.typing import NDArray

    from bertshape.pipelines.request import DType
    from bertshape.report.finding import Finding
    from bertshape.report.report import Weights


class Embedder:
    """A model that is loaded once, and gives the vector of each text of any number of batches.

    The vectors are those that `bertshape embed` writes: without `pooling` those of `SentenceTransformer.encode`. Called
    with a batch of columns it adds one of vectors, as `map_batches` of Ray Data has it.

    Attributes:
        findings: What a person should know of the checkpoint: warnings and notes.
        cut: How many texts were cut so far, for they were too long.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        text_column: str = "text",
        vector_column: str = "vector",
        revision: str | None = None,
        offline: bool = False,
        weights: Weights | None = None,
        device: str = "auto",
        dtype: DType = "auto",
        pooling: str | None = None,
        batch_size: int | None = None,
        max_length: int | None = None,
        truncation: bool | None = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        truncate_dim: int | None = None,
        allow_unsound: bool = False,
    ) -> None:
        """Check the checkpoint and load it.

        Args:
            model: Folder, Hub id or `embedded:` name.
            text_column: Column of a batch that has the texts.
            vector_column: Column that gets the vectors.
            revision: Branch, tag or commit of a Hub repository.
            offline: Use the Hub's cache alone.
            weights: `checkpoint` or `random`.
            device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
            dtype: Dtype of the parameters; `auto` is what transformers would load.
            pooling: Strategy; None for what the checkpoint declares.
            batch_size: Texts that run together; None for as many as have some thousand tokens.
            max_length: Tokens that a row may have.
            truncation: Cut longer rows; None cuts where `encode` does, or where `max_length` is given.
            prompt_name: Name of a prompt of the checkpoint, to put before each text; None for its default prompt.
            prompt: What to put before each text; empty for nothing.
            truncate_dim: Cut the sentence embedding to so many numbers.
            allow_unsound: Make vectors of a model with errors among its findings too.

        Raises:
            BertshapeError: The model cannot be loaded, or its vectors would be wrong.
        """
        request = VectorRequest(
            source=ModelSource(str(model), revision, offline),
            run=RunOptions(weights, device_name(device), dtype),
            prompting=prompting_of(prompt_name, prompt),
            lengths=LengthOptions(max_length, truncation),
            pooling=() if pooling is None else (pooling,),
            truncate_dim=truncate_dim,
            batch_size=batch_size,
            allow_unsound=allow_unsound,
        )
        request.check()
        check_packages("Embedder")
        maker = open_maker(request)
        if maker.refused:
            raise _unsound(maker.model.checkpoint.name, maker.findings)
        self._running: RunningMaker = maker.start(SILENT)
        if self._running.refused:
            raise _unsound(maker.model.checkpoint.name, self._running.findings)
        self._columns = text_column, vector_column
        self.findings = self._running.findings
        self.cut = 0

    def encode(self, texts: Sequence[str]) -> NDArray[numpy.floating[Any]]:
        """The vector of each text. Shape: (number of texts, size of the vector).

        Args:
            texts: The texts.

        Raises:
            BertshapeError: A text cannot be used, or its vector holds NaN.
        """
        if not texts:
            return self.encode(["no text"])[:0]  # So that an empty batch has the same columns as the others.
        maker = self._running.maker
        windows = maker.windows("texts", Sample(0))
        made = self._running.run(windows.read(_records(texts)), SILENT, None)
        broken = non_finite(made.saved, maker.model.dtype(maker.request.run.dtype))
        if broken and not maker.request.allow_unsound:
            raise _unsound(maker.model.checkpoint.name, broken)
        self.cut += windows.cut
        (vectors,) = made.arrays.values()
        found: NDArray[numpy.floating[Any]] = vectors
        return found

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The batch with one more column.

        Args:
            batch: Columns by name, each an array of NumPy or a list.

        Raises:
            BertshapeError: The column of the texts is not there, or a text cannot be used.
        """
        text_column, vector_column = self._columns
        if text_column not in batch:
            raise UsageError(
                f"the batch has no column {text_column!r}; it has {', '.join(map(repr, batch))}",
                hint="Name the column of the texts: Embedder(model, text_column=NAME).",
                code="column-missing",
            )
        return {**batch, vector_column: self.encode(list(batch[text_column]))}


def _records(texts: Iterable[str]) -> Iterable[Record]:
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            what = f"text {number} is not a string: {type(text).__name__}"
            raise UsageError(what, hint="Pass strings; leave out rows without a text.", code="text-invalid")
        yield Record(number, str(text), unit="text")


def _unsound(name: str, findings: Sequence[Finding]) -> CheckpointError:
    """The first error as one that stops: there is no report to show it in."""
    worst = next(row for row in findings if row.severity == "error" or row.code == "pooler-random")
    return CheckpointError(f"{name}: its vectors would be wrong: {worst.message}", hint=worst.hint, code=worst.code)
