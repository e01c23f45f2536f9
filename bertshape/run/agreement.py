"""How far two runs of one text are apart: plain Python, no tensors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """How far apart a tensor of one text is in two runs.

    Attributes:
        name: The tensor: `embeddings`, `layer 1`, `last_hidden_state`, `sentence_embedding`.
        difference: Largest difference of two numbers.
        largest: Largest number, whatever its sign.
    """

    name: str
    difference: float
    largest: float
