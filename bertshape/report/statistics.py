"""What the numbers of a tensor are like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.report import documents_tensors


@dataclass(frozen=True)
class Statistics:
    """The numbers of a tensor, or of all tensors of a tuple; those that are not finite are counted and left out.

    Attributes:
        mean: Their mean; None where no number is finite.
        std: Their standard deviation, as of a whole population; None as above.
        least: The least; None as above.
        greatest: The greatest; None as above.
        zeros: How many are zero.
        not_finite: How many are NaN or infinite.
    """

    mean: float | None
    std: float | None
    least: float | None
    greatest: float | None
    zeros: int
    not_finite: int

    def to_dict(self) -> documents_tensors.Statistics:
        """The statistics as the JSON document holds them."""
        return {
            "mean": self.mean,
            "std": self.std,
            "least": self.least,
            "greatest": self.greatest,
            "zeros": self.zeros,
            "not_finite": self.not_finite,
        }
