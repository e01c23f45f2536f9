"""Two checkpoints on a corpus -> how many texts get other tokens and other sentence embeddings; memory stays flat."""

from __future__ import annotations

import heapq
from array import array
from dataclasses import dataclass, field, replace
from itertools import count, zip_longest
from typing import TYPE_CHECKING

from bertshape.corpus.read import in_chunks, read_records
from bertshape.errors import UsageError
from bertshape.pipelines.diff_texts import Encoder, cosine_of, not_comparable, refuse_contracts
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.model import open_model
from bertshape.report.drift import LEAST_COSINE, ChangedText, Cosines, Drift
from bertshape.tokens.encode import encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertshape.corpus.text_file import Record, TextFile
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.model_source import ModelSource
    from bertshape.tokens.encode import EncodedRow

_WORST = 5
_BEGINNING = 60


def drift(
    sources: tuple[ModelSource, ModelSource], texts: TextFile, most: float | None, events: Events = SILENT
) -> Drift:
    """Compare what two checkpoints make of the texts of a file.

    Args:
        sources: The two.
        texts: The texts.
        most: Share of texts that may change; None for no limit.
        events: Who watches.

    Raises:
        BertshapeError: A side or the file cannot be read, a text is too long to run, or a side fails to run.
    """
    return drift_records(sources, read_records(texts), texts.name, most, events)


def drift_records(
    sources: tuple[ModelSource, ModelSource],
    records: Iterable[Record],
    name: str,
    most: float | None = None,
    events: Events = SILENT,
) -> Drift:
    """The same for texts from anywhere.

    Args:
        sources: The two.
        records: The texts.
        name: What messages call them.
        most: Share of texts that may change; None for no limit.
        events: Who watches.

    Raises:
        BertshapeError: As for `drift`.
    """
    refuse_contracts(sources, "--texts")
    models = open_model(sources[0]), open_model(sources[1])
    as_encode = [open_model(source, as_encode=True) for source in sources]
    reason = not_comparable(*as_encode)
    encoders = [Encoder(model, name, events) for model in as_encode] if reason is None else []
    tally = _Tally(models)
    for chunk in in_chunks(records):
        rows = [list(encode_rows(model.tokenizer, chunk, name, cut_to=None)) for model in models]
        vectors = [encoder.vectors(chunk) for encoder in encoders]
        cosines = [cosine_of(*both)[0] for both in zip(*vectors, strict=True)] if vectors else [None] * len(chunk)
        for record, before, after, cosine in zip(chunk, *rows, cosines, strict=True):
            tally.add(record, before, after, cosine, compared=bool(vectors))
    if not tally.texts:
        raise UsageError(f"{name} has no texts", hint="Pass a file with a text on each line.", code="no-texts")
    return tally.drift(name, reason, most)


@dataclass
class _Tally:
    """What was counted so far."""

    models: tuple[Model, Model]
    texts: int = 0
    retokenized: int = 0
    changed: int = 0
    lengths: list[int] = field(default_factory=lambda: [0, 0])
    longer: int = 0
    shorter: int = 0
    used: set[int] = field(default_factory=set)
    cosines: array[float] = field(default_factory=lambda: array("f"))
    worst: list[tuple[float, int, ChangedText]] = field(default_factory=list)
    _order: count[int] = field(default_factory=lambda: count(0, -1))

    def add(
        self, record: Record, before: EncodedRow, after: EncodedRow, cosine: float | None, *, compared: bool
    ) -> None:
        """Count one text; vectors that were compared and have no cosine are not the same."""
        self.texts += 1
        self.lengths[0] += len(before)
        self.lengths[1] += len(after)
        self.longer += len(after) > len(before)
        self.shorter += len(after) < len(before)
        self.used.update(before.input_ids, after.input_ids)
        other_ids = before.input_ids != after.input_ids
        other_vector = compared and (cosine is None or cosine < LEAST_COSINE)
        if cosine is not None:
            self.cosines.append(cosine)
        self.retokenized += other_ids
        self.changed += other_ids or other_vector
        if other_ids or other_vector:
            badness = 1 - cosine if cosine is not None else _differing(before.input_ids, after.input_ids)
            item = (badness, next(self._order), _changed_text(record, before, after, cosine))
            heapq.heappush(self.worst, item)
            if len(self.worst) > _WORST:
                heapq.heappop(self.worst)

    def drift(self, name: str, reason: str | None, most: float | None) -> Drift:
        """The result."""
        one, other = (model.tokenizer.backend for model in self.models)
        moved = sum(one.id_to_token(used) != other.id_to_token(used) for used in self.used)
        worst = [item[2] for item in sorted(self.worst, key=lambda item: item[:2], reverse=True)]
        return Drift(
            path=name,
            texts=self.texts,
            retokenized=self.retokenized,
            changed=self.changed,
            lengths=(self.lengths[0], self.lengths[1]),
            longer=self.longer,
            shorter=self.shorter,
            ids_used=len(self.used),
            ids_moved=moved,
            cosines=_summary(self.cosines),
            reason=reason if reason or self.cosines else "no text gives two vectors that have a cosine",
            worst=tuple(self._named(row) for row in worst),
            most=most,
            ids_alone=not any(model.checkpoint.has_weights for model in self.models),
        )

    def _named(self, row: ChangedText) -> ChangedText:
        names = [
            None if used is None else model.tokenizer.backend.id_to_token(used)
            for model, used in zip(self.models, row.ids, strict=True)
        ]
        return replace(row, tokens=(names[0], names[1]))


def _differing(before: Sequence[int], after: Sequence[int]) -> float:
    """Share of the tokens that are not in the common beginning and end of both."""
    longest, shortest = max(len(before), len(after)), min(len(before), len(after))
    first = next((at for at in range(shortest) if before[at] != after[at]), shortest)
    last = next((at for at in range(shortest - first) if before[-1 - at] != after[-1 - at]), shortest - first)
    return (longest - first - last) / longest if longest else 0.0


def _changed_text(record: Record, before: EncodedRow, after: EncodedRow, cosine: float | None) -> ChangedText:
    pairs = enumerate(zip_longest(before.input_ids, after.input_ids))
    position, ids = next(((at, pair) for at, pair in pairs if pair[0] != pair[1]), (None, (None, None)))
    return ChangedText(
        line=record.line,
        text=record.text[:_BEGINNING],
        lengths=(len(before), len(after)),
        position=position,
        tokens=(None, None),
        ids=ids,
        cosine=cosine,
    )


def _summary(cosines: array[float]) -> Cosines | None:
    if not cosines:
        return None
    ordered = sorted(cosines)
    changed = sum(cosine < LEAST_COSINE for cosine in ordered)
    at = max(0, -(-len(ordered) // 100) - 1)
    # Single precision may give a little more than 1.
    least, percent_1 = (min(1.0, ordered[index]) for index in (0, at))
    return Cosines(least, percent_1, min(1.0, sum(ordered) / len(ordered)), changed)
