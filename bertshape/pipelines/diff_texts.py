"""What two checkpoints give for the same texts: token ids, shapes, and how alike their sentence embeddings are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from operator import mul
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import steps_without_weights
from bertshape.corpus.text_file import Record
from bertshape.errors import UsageError
from bertshape.pipelines.batch import make_batch
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.lengths import check_exact, check_ids, check_length, settle_lengths
from bertshape.pipelines.model import open_model
from bertshape.pipelines.packages import missing_packages
from bertshape.pipelines.predicted import predict
from bertshape.pipelines.prompts import prompt_length, settle_prompt
from bertshape.pipelines.request import LengthOptions, Prompting, RunOptions, Texts, Wanted
from bertshape.pipelines.running import follow_chain, start
from bertshape.predict.sentence_chain import model_outputs, predict_embedding
from bertshape.run.request import VectorJob, Window
from bertshape.tokens.encode import encode_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.pipelines.model import Model
    from bertshape.pipelines.model_source import ModelSource
    from bertshape.report import documents

_NAME = "--text"
_EMBEDDING = "sentence_embedding"
_ALIKE = 1 - 1e-5
"""Cosine from which two embeddings are the same: one model run twice differs by some 1e-7."""


@dataclass(frozen=True)
class Given:
    """What one side gives for a text.

    Attributes:
        input_ids: Ids of its tokens.
        tokens: The vocabulary's strings.
        shapes: Sizes of what comes out, as predicted, by name.
    """

    input_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]

    def to_dict(self) -> documents.GivenForText:
        """The side as the JSON document holds it."""
        return {
            "input_ids": list(self.input_ids),
            "tokens": list(self.tokens),
            "shapes": {name: list(sizes) for name, sizes in self.shapes.items()},
        }


@dataclass(frozen=True)
class TextComparison:
    """What both sides give for a text.

    Attributes:
        text: The text.
        before: What the first side gives.
        after: What the second side gives.
        cosine: That of the two sentence embeddings, as `SentenceTransformer(folder).encode` makes them; None where
            they cannot be compared.
        reason: Why not.
    """

    text: str
    before: Given
    after: Given
    cosine: float | None
    reason: str | None

    @property
    def same(self) -> bool:
        """Whether nothing that was looked at differs."""
        return self.before == self.after and (self.cosine is None or self.cosine >= _ALIKE)

    def to_dict(self) -> documents.ComparedText:
        """The comparison as the JSON document holds it."""
        return {
            "text": self.text,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "cosine": self.cosine,
            "reason": self.reason,
        }


def compare_texts(
    sources: tuple[ModelSource, ModelSource], texts: Sequence[str], events: Events = SILENT
) -> tuple[TextComparison, ...]:
    """Give texts to two checkpoints; both run where their sentence embeddings can be compared.

    Args:
        sources: The two.
        texts: At least one text.
        events: Who watches.

    Raises:
        BertshapeError: A side cannot be read, a text is too long for it, or it fails to run.
    """
    refuse_contracts(sources, _NAME)
    asked = Texts(tuple(texts))
    asked.check()
    before, after = (_Side(source, asked) for source in sources)
    reason = not_comparable(before.model, after.model)
    pairs: list[tuple[float | None, str | None]] = [(None, reason)] * len(texts)
    if reason is None:
        vectors = before.embeddings(events), after.embeddings(events)
        pairs = [cosine_of(*both) for both in zip(*vectors, strict=True)]
    return tuple(
        TextComparison(text, one, other, *pair)
        for text, one, other, pair in zip(texts, before.given, after.given, pairs, strict=True)
    )


def refuse_contracts(sources: Sequence[ModelSource], option: str) -> None:
    """Refuse to give texts to a contract.

    Args:
        sources: The two sides.
        option: The option that gives the texts.

    Raises:
        UsageError: A side is a contract.
    """
    for source in sources:
        if source.name is not None and source.name.endswith(".toml"):
            raise UsageError(
                f"{option} gives texts to two checkpoints, and {source.name} is a contract",
                hint=f"Leave {option} out, or name the checkpoint in place of its contract.",
                code="contract-takes-no-text",
            )


class _Side:
    """One checkpoint and the texts."""

    def __init__(self, source: ModelSource, asked: Texts) -> None:
        self._texts = asked.texts
        # Read as encode reads it, for the embedding; the tokens and outputs are those that AutoModel gives.
        self.model = open_model(source, as_encode=True)
        plain = open_model(source)
        self.size = embedding_size(self.model)
        self.given = tuple(self._give(plain, text) for text in asked.texts)

    def _give(self, model: Model, text: str) -> Given:
        report = predict(make_batch(model, Texts((text,)), LengthOptions(), Wanted(pooling=("mean",)), "auto"))
        names = ("last_hidden_state", "pooler_output")
        shapes = {name: report.outputs[name].shape.sizes for name in names if name in report.outputs}
        if self.size is not None:
            shapes[_EMBEDDING] = (1, self.size)
        tokens = report.tokenization.rows[0].tokens
        return Given(tuple(token.input_id for token in tokens), tuple(token.token for token in tokens), shapes)

    def embeddings(self, events: Events) -> list[list[float]]:
        """The vector of each text."""
        records = [Record(line, text, unit="text") for line, text in enumerate(self._texts, start=1)]
        return Encoder(self.model, _NAME, events).vectors(records)


class Encoder:
    """A checkpoint, loaded, that gives the vectors of `encode`."""

    def __init__(self, model: Model, name: str, events: Events) -> None:
        """Load it.

        Args:
            model: The checkpoint, opened as `encode` reads it; it has weights.
            name: What messages call the texts.
            events: Who watches.

        Raises:
            BertshapeError: It cannot be loaded.
        """
        model = replace(model, weights="checkpoint")
        self._model, self._name, self._events = model, name, events
        self._prompt = settle_prompt(Prompting(), model.recipe, as_encode=True)
        self._cut_to = settle_lengths(LengthOptions(), model, as_encode=True).cut_to
        self._runner = start(model, RunOptions("checkpoint"), events, chain=follow_chain(model)).runner
        events.phase("running")

    def vectors(self, records: Sequence[Record]) -> list[list[float]]:
        """The vector of each text.

        Args:
            records: The texts.

        Raises:
            BertshapeError: A text is too long, or the run fails.
        """
        model = self._model
        given = [replace(record, text=self._prompt + record.text) for record in records]
        rows = list(encode_rows(model.tokenizer, given, self._name, cut_to=self._cut_to))
        for row in rows:
            where = f"{row.unit} {row.line}"
            check_length(len(row), where, model)
            check_exact(len(row), where, model)
            check_ids(max(row.input_ids, default=0), model)
        # A tokenizer may have no padding token: then one text runs at a time.
        job = VectorJob(
            strategies=(),
            batch_size=None if model.tokenizer.pad_id is not None else 1,
            pad_id=model.tokenizer.pad_id or 0,
            padding_side=model.tokenizer.padding_side,
            inputs=model.tokenizer.inputs,
            saving=None,
            progress=self._events.advanced,
            prompt_length=prompt_length(self._prompt, model, self._cut_to),
        )
        vectors: list[list[float]] = self._runner.embed([Window(given, rows)], job).arrays[_EMBEDDING].tolist()
        return vectors


def embedding_size(model: Model) -> int | None:
    """Size of the sentence embedding; None where the chain does not lead to one vector per text."""
    steps = predict_embedding(
        model.recipe.steps,
        model_outputs(model.architecture, 1, 1, "float32"),
        lacking=steps_without_weights(model.checkpoint) if model.checkpoint.has_weights else (),
        truncate_dim=model.recipe.truncate_dim,
    )
    shape = steps[-1].shape if steps else None
    return shape.sizes[-1] if shape is not None and len(shape.sizes) == len(("batch_size", "size")) else None


def not_comparable(before: Model, after: Model) -> str | None:
    """Why the sentence embeddings cannot be compared; None where they can.

    Args:
        before: One model, opened as `encode` reads it.
        after: The other.
    """
    sizes = embedding_size(before), embedding_size(after)
    for letter, size in zip("AB", sizes, strict=True):
        if size is None:
            return f"{letter} gives no sentence embedding"
    if sizes[0] != sizes[1]:
        return f"the sentence embeddings have {sizes[0]} and {sizes[1]} numbers"
    for letter, model in zip("AB", (before, after), strict=True):
        if not model.checkpoint.has_weights:
            return f"{letter} stores no weights"
        if model.verdict.errors:
            return f"{letter} is not sound ({model.verdict.errors[0].code})"
    missing = missing_packages()
    return f"{' and '.join(missing)} not installed" if missing else None


def cosine_of(before: Sequence[float], after: Sequence[float]) -> tuple[float | None, str | None]:
    """The cosine of two vectors, or why they have none."""
    lengths = [math.sqrt(sum(map(mul, vector, vector))) for vector in (before, after)]
    if not all(map(math.isfinite, lengths)):
        return None, "some numbers are not finite"
    if 0 in lengths:
        return None, "a sentence embedding is zero"
    return max(-1.0, min(1.0, sum(map(mul, before, after)) / (lengths[0] * lengths[1]))), None
