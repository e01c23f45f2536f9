"""What `which` asks of a run, and what it gets: plain Python, no tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.pooling.strategy import Strategy
    from bertshape.tokens.encode import EncodedRow

DECLARED = "sentence_embedding"
"""Name of the candidate that is the checkpoint's own chain of steps."""

SENTENCE_MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""Strategies of a Pooling step of sentence-transformers."""

BATCH_SIZE = 32
"""Texts that run together: what `encode` takes."""

LACKS = (
    "offset",
    "rounded",
    "scale",
    "int8",
    "binary",
    "columns scaled",
    "columns moved",
    "shuffled",
    "norm",
    "rotated",
    "linear",
)
"""Steps after the pooling that can be recognised, the plainest first."""


@dataclass(frozen=True)
class Variant:
    """The texts, tokenized in one way.

    Attributes:
        rows: The tokens of each text.
        prompt_length: Tokens of the prompt, for Pooling steps that leave it out.
        masked: Where padding is left out.
        in_order: Whether batches are made in the order of the texts, in place of batches of like length.
        pad_to: Length that all rows are padded to; None for the longest of a batch.
    """

    rows: tuple[EncodedRow, ...]
    prompt_length: int = 0
    masked: Literal["everywhere", "in the model", "nowhere"] = "everywhere"
    in_order: bool = False
    pad_to: int | None = None


@dataclass(frozen=True)
class ScoreJob:
    """What to compare.

    Attributes:
        given: The vectors. Shape: (texts, embedding_dimension).
        pool: The vectors among which one in another place is sought. Shape: (any number, embedding_dimension).
        places: Which of these each text has.
        strategies: Strategies on single layers, by the name that candidates get.
        ranges: Candidates that are made of those: how they are joined, and the names of the parts, by their name.
        tolerance: Largest difference of a number that passes.
        batch_size: Texts that run together.
        pad_id: Id that fills short rows.
        padding_side: `right` or `left`.
        inputs: Names of the tensors that the tokenizer makes.
        integers: Whether the given vectors are integers, which quantization leaves.
    """

    given: Any
    pool: Any
    places: tuple[int, ...]
    strategies: tuple[Strategy, ...]
    ranges: Mapping[str, tuple[str, tuple[str, ...]]]
    tolerance: float
    batch_size: int
    pad_id: int
    padding_side: str
    inputs: tuple[str, ...]
    integers: bool = False


@dataclass(frozen=True)
class Score:
    """How near one candidate comes.

    Attributes:
        normalized: Whether the vectors are scaled to length 1: `before` or `after` they are cut, or empty.
        truncated: Whether only their first numbers are taken.
        difference: Largest difference of two numbers.
        cosine: Mean cosine of the vectors of a text.
        least_cosine: Its least.
        row_differences: Largest difference of each row.
        lacks: What it lacks where it does not fit, by a short name, with a number that says how much.
        variant: Index of the tokenization.
        strategy: Name of the strategy; `sentence_embedding` for the declared chain.
        steps: Declared steps that are taken after a pooling that is not the declared one, or not all of them.
    """

    normalized: Literal["", "before", "after"]
    truncated: bool
    difference: float
    cosine: float
    least_cosine: float
    row_differences: tuple[float, ...]
    lacks: tuple[tuple[str, float], ...] = ()
    variant: int = 0
    strategy: str = ""
    steps: int = 0

    def order(self, tolerance: float) -> tuple[float, ...]:
        """What comes first: what fits, then what lacks the plainest step, then what is nearest."""
        if self.difference <= tolerance:
            return (-1,)
        lacks, number = self.lacks[0] if self.lacks else ("", 0.0)
        plain = LACKS.index(lacks) if lacks else len(LACKS)
        agreement = number if lacks in ("binary", "columns scaled") else 0.0
        # The same vectors by another way of computing them differ in the last digits.
        return (plain, -agreement, -round(self.cosine, 5), float(f"{self.difference:.2g}"))
