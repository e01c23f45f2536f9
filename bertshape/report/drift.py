"""What two checkpoints make of a corpus: how many texts get other tokens, and other sentence embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.report import documents_drift

LEAST_COSINE = 0.999
"""Cosine below which an embedding has changed: the same weights in half precision stay above."""


@dataclass(frozen=True)
class ChangedText:
    """A text that is not what it was.

    Attributes:
        line: Number of its line, row or text.
        text: Its beginning.
        lengths: Tokens on each side.
        position: The first token that differs; None where the ids are the same.
        tokens: That token on each side; None where the side has ended.
        ids: Its ids; None where the side has ended.
        cosine: Cosine of the two sentence embeddings; None where they were not compared.
    """

    line: int
    text: str
    lengths: tuple[int, int]
    position: int | None
    tokens: tuple[str | None, str | None]
    ids: tuple[int | None, int | None]
    cosine: float | None = None


@dataclass(frozen=True)
class Cosines:
    """Cosines of the two sentence embeddings of every text.

    Attributes:
        least: The least.
        percent_1: The one that 1 % of the texts are not above.
        mean: Their mean.
        changed: Texts whose cosine is below `LEAST_COSINE`.
    """

    least: float
    percent_1: float
    mean: float
    changed: int


@dataclass(frozen=True)
class Drift:
    """The corpus, compared.

    Attributes:
        path: The file of texts.
        texts: Texts in it.
        retokenized: Texts whose ids are not the same on both sides.
        changed: Texts with other ids or another sentence embedding.
        lengths: Tokens of all texts on each side; padding is never counted.
        longer: Texts with more tokens on the second side.
        shorter: Texts with fewer.
        ids_used: Different ids that the texts have on any side.
        ids_moved: How many of these stand for another token on the other side.
        cosines: Of the sentence embeddings; None where they were not compared.
        reason: Why not.
        worst: Texts that changed most.
        most: Share of texts that may change; None where no limit was asked for.
        ids_alone: Whether neither side has weights, so that only tokens can be compared.
    """

    path: str
    texts: int
    retokenized: int
    changed: int
    lengths: tuple[int, int]
    longer: int
    shorter: int
    ids_used: int
    ids_moved: int
    cosines: Cosines | None
    reason: str | None
    worst: tuple[ChangedText, ...]
    most: float | None = None
    ids_alone: bool = False

    @property
    def share(self) -> float:
        """Share of the texts that changed, from 0 to 1."""
        return self.changed / self.texts if self.texts else 0.0

    @property
    def passes(self) -> bool:
        """Whether no more texts changed than may; what could not be compared does not pass."""
        return self.share <= (self.most or 0.0) and (self.cosines is not None or self.ids_alone)

    def to_dict(self) -> documents_drift.Drift:
        """The comparison as the JSON document holds it."""
        before, after = self.lengths
        cosines = self.cosines
        return {
            "path": self.path,
            "texts": self.texts,
            "retokenized": self.retokenized,
            "changed": self.changed,
            "share": self.share,
            "most": self.most,
            "tokens_before": before,
            "tokens_after": after,
            "longer": self.longer,
            "shorter": self.shorter,
            "ids_used": self.ids_used,
            "ids_moved": self.ids_moved,
            "cosines": None
            if cosines is None
            else {
                "least": cosines.least,
                "percent_1": cosines.percent_1,
                "mean": cosines.mean,
                "changed": cosines.changed,
            },
            "reason": self.reason,
            "worst": [
                {
                    "line": row.line,
                    "text": row.text,
                    "tokens_before": row.lengths[0],
                    "tokens_after": row.lengths[1],
                    "position": row.position,
                    "before": row.tokens[0],
                    "after": row.tokens[1],
                    "id_before": row.ids[0],
                    "id_after": row.ids[1],
                    "cosine": row.cosine,
                }
                for row in self.worst
            ],
        }
