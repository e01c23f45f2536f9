"""The texts of a window in batches: those of like length together, and smaller ones where memory runs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from bertshape.errors import DeviceError
from bertshape.run.devices import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

POSITIONS = {"cpu": 2048, "cuda": 32768, "mps": 8192}
"""Positions of a batch where no number of texts is given, by the kind of device."""


@dataclass
class Batches:
    """Takes batches from windows; a value that changes where memory runs out.

    Attributes:
        device: Where they run.
        texts: Most texts of a batch; None for any number.
        positions: Most positions of a batch with more than one text, padding included; None for any number.
        halved: Whether memory ran out.
        largest: Positions of the largest batch that ran.
    """

    device: torch.device
    texts: int | None
    positions: int | None = None
    halved: bool = False
    largest: int = 0

    def __post_init__(self) -> None:
        if self.texts is None and self.positions is None:
            self.positions = POSITIONS.get(self.device.type, POSITIONS["cpu"])

    def run(self, lengths: Sequence[int], work: Callable[[list[int]], Any]) -> Iterator[tuple[list[int], Any]]:
        """Run all texts of a window, longest first: what does not fit the memory fails at once, not after an hour.

        Args:
            lengths: Tokens of each text.
            work: Runs the texts with these indices.

        Yields:
            The indices of each batch, and what the work gave.

        Raises:
            DeviceError: Memory ran out with a single text.
        """
        order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
        start = 0
        while start < len(order):
            chosen = order[start : start + self._count(lengths[order[start]], len(order) - start)]
            size = len(chosen) * lengths[chosen[0]]
            done, given = self._try(chosen, work)
            if not done:
                self._halve(chosen, lengths[chosen[0]])
                continue
            self.largest = max(self.largest, size)
            start += len(chosen)
            yield chosen, given

    def _count(self, longest: int, left: int) -> int:
        most = left if self.texts is None else min(self.texts, left)
        return most if self.positions is None else max(1, min(most, self.positions // max(longest, 1)))

    def _try(self, chosen: list[int], work: Callable[[list[int]], Any]) -> tuple[bool, Any]:
        # The error holds the frames of what failed, and they its tensors: it must be gone before the next try.
        try:
            return True, work(chosen)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False, None

    def _halve(self, chosen: list[int], longest: int) -> None:
        if len(chosen) == 1:
            fits = f"the largest batch that fitted had {self.largest:,} tokens" if self.largest else "nothing fitted"
            shorter = max(2, min(longest // 2, self.largest or longest // 2))
            raise DeviceError(
                f"out of memory on {self.device}, with a single text of {longest:,} tokens; {fits}",
                hint=f"Cut texts to {shorter} tokens, or use dtype bfloat16 or another device.",
                code="out-of-memory",
            )
        self.halved = True
        self.positions = max(longest, len(chosen) // 2 * longest)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
