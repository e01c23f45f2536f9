"""The memory of batches of any shape, in numbers alone: profiles keep it, and are added up without the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.corpus.counts import Shape
    from bertshape.report import documents_profile


@dataclass(frozen=True)
class Term:
    """A product: bytes for each text, each token of a text, or each pair of tokens, by the powers of both."""

    texts: int
    tokens: int
    bytes: int


@dataclass(frozen=True)
class BatchMemory:
    """Tensor bytes of inference in one dtype.

    Attributes:
        dtype: Of the weights.
        weights: Bytes of the weights.
        peaks: Sums of bytes, one for each moment that may be the peak.
    """

    dtype: str
    weights: int
    peaks: tuple[tuple[Term, ...], ...]

    def bytes(self, shape: Shape) -> int:
        """Bytes of weights and activations at the peak of a batch of this shape."""
        rows, length = shape
        # To a type checker the power of two whole numbers may be a float.
        ones, lengths = (1, rows, rows * rows), (1, length, length * length)
        sums = (sum(term.bytes * ones[term.texts] * lengths[term.tokens] for term in terms) for terms in self.peaks)
        return self.weights + max(sums)

    def to_dict(self) -> documents_profile.BatchMemory:
        """Its part of the document."""
        return {
            "dtype": self.dtype,
            "weights": self.weights,
            "peaks": [
                [{"texts": term.texts, "tokens": term.tokens, "bytes": term.bytes} for term in terms]
                for terms in self.peaks
            ],
        }
