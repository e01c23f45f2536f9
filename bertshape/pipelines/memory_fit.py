"""The largest batch that fits into a memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.predict.memory import ATTENTIONS
from bertshape.report.memory import USES, Fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bertshape.pipelines.memory_use import MemoryUse

_MOST = 2**31
"""No batch has more texts, and no text more tokens."""


def fits(use: MemoryUse, shape: tuple[int, int], memory: int, dtypes: Sequence[str]) -> Iterator[Fit]:
    """The largest batch for each use, attention and dtype that was counted.

    Args:
        use: The model.
        shape: Texts and tokens: each is kept while the other grows.
        memory: Bytes that there are.
        dtypes: The dtypes of the weights.
    """
    longest = use.activations.longest if use.activations else None
    bounds = [bound for bound in (use.most, longest, _MOST) if bound is not None]
    for kind in USES:
        for attention in ATTENTIONS:
            for dtype in dtypes:

                def fitting(batch_size: int, length: int) -> bool:
                    total = use.total(kind, attention, dtype, (batch_size, length))  # noqa: B023 - called below
                    return total is not None and total <= memory

                if use.total(kind, attention, dtype, shape) is not None:
                    texts = most(lambda size: fitting(size, shape[1]), _MOST)
                    tokens = most(lambda size: fitting(shape[0], size), min(bounds))
                    yield Fit(kind, attention, dtype, texts, tokens)


def most(fitting: Callable[[int], bool], bound: int) -> int:
    """The largest number up to a bound that fits, where all smaller ones do; 0 where none does.

    Args:
        fitting: Whether a number fits.
        bound: Where to stop.
    """
    low, high = 0, 1
    while high <= bound and fitting(high):
        low, high = high, high * 2
    high = min(high, bound + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fitting(middle) else (low, middle)
    return low
