"""How near made vectors come to given ones, and by which step after the pooling they differ."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch.nn import functional

from bertshape.run.recipes import Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bertshape.run.recipes import ScoreJob

_SAME_DIRECTION = 1 - 1e-5
_NEAR = 0.99
_EXACT = 2e-3
"""Share of the largest number by which a fitted step may be wrong."""


class Nearness:
    """Compares with the given vectors of a job. Shape of made vectors: (texts, size or more)."""

    def __init__(self, job: ScoreJob) -> None:
        """Take the given vectors of the job, and what passes."""
        self._job, self._allowed = job, job.tolerance
        self._given = torch.from_numpy(job.given)
        self._size = self._given.shape[1]
        self._places = torch.tensor(job.places)

    @cached_property
    def _pool(self) -> torch.Tensor:
        """The vectors among which one in another place is sought, each of length 1; needed where nothing fits."""
        return functional.normalize(torch.tensor(self._job.pool), dim=1)

    @cached_property
    def _quantized_levels(self) -> int | None:
        """Levels of the given vectors; needed where nothing fits."""
        return _levels(self._given)

    @cached_property
    def _decimals(self) -> int | None:
        """Decimals that all given numbers have, where these are too few to pass."""
        found = (n for n in (1, 2) if float((self._given * 10**n - (self._given * 10**n).round()).abs().max()) < 1e-3)
        return None if self._job.integers else next(found, None)

    @cached_property
    def _binary(self) -> bool:
        """Whether there are two numbers alone."""
        return len(self._given.unique()) == 2

    @cached_property
    def _gram(self) -> torch.Tensor:
        """Products of the centred given vectors with each other. Shape: (texts, texts)."""
        return _gram(self._given)

    def nearest(self, candidates: Mapping[Any, torch.Tensor], most: int) -> Iterable[Any]:
        """Names of the nearest: by direction, less a constant, in another order, or by how texts stand to each other.

        Args:
            candidates: Made vectors by name.
            most: How many at most are taken by direction.
        """
        given, size = self._given, self._size
        cut = {name: value[:, :size] for name, value in candidates.items()}
        if self._binary:
            cut = {name: value.sign() for name, value in cut.items()}
        cosines = {name: float(_cosines(value, given).mean()) for name, value in cut.items()}
        kept = _first(cosines, most)
        if cosines and max(cosines.values()) < _NEAR:
            centred = given - given.mean(0)
            kept += _first({name: float(_cosines(row - row.mean(0), centred).mean()) for name, row in cut.items()}, 2)
            kept += _first({name: float(_similar(row, self._pool).amax(1).mean()) for name, row in cut.items()}, 2)
            kept += _first({name: self._alike(value) for name, value in candidates.items()}, 2)
            short = {name: value for name, value in candidates.items() if len(given) > value.shape[1] + 1}
            kept += _first({name: self._explained(value) for name, value in short.items()}, 2)
        return dict.fromkeys(kept)

    def _alike(self, made: torch.Tensor) -> float:
        """How alike distances between texts are: turned vectors keep them."""
        return float(_cosines(_gram(made).view(1, -1), self._gram.view(1, -1)))

    def _explained(self, made: torch.Tensor) -> float:
        """How much of the given vectors a linear map can make of these; needs more texts than numbers in each."""
        centred = self._given - self._given.mean(0)
        return float((torch.linalg.qr(made - made.mean(0))[0].T @ centred).norm())

    def fit(self, whole: torch.Tensor) -> Score:
        """How near vectors come: as they are, or scaled to length 1 before or after they are cut."""
        size = self._size
        cut = whole[:, :size]
        ways: list[tuple[Literal["", "before", "after"], torch.Tensor]]
        ways = [("", cut), ("after", functional.normalize(cut, dim=-1))]
        if whole.shape[1] > size:
            ways.append(("before", functional.normalize(whole, dim=-1)[:, :size]))
        best: Score | None = None
        for normalized, made in ways:
            differences, cosines = (made - self._given).abs().amax(1), _cosines(made, self._given)
            difference = float(differences.max())
            if best is not None and best.difference <= self._allowed:
                break
            score = Score(
                normalized=normalized,
                truncated=whole.shape[1] > size,
                difference=difference,
                cosine=float(cosines.mean()),
                least_cosine=float(cosines.min()),
                row_differences=tuple(differences.tolist()),
                lacks=() if difference <= self._allowed else self._lacks(made, whole if made is cut else made, cosines),
            )
            if best is None or score.order(self._allowed) < best.order(self._allowed):
                best = score
        assert best is not None
        return best

    def _lacks(self, made: torch.Tensor, whole: torch.Tensor, cosines: torch.Tensor) -> tuple[tuple[str, float], ...]:
        """What keeps a candidate from fitting; empty where nothing is recognised."""
        given = self._given
        offset = given - made
        if float((offset - offset.mean(0)).abs().max()) <= self._allowed:
            return (("offset", float(offset.mean(0).abs().max())),)
        if self._binary:
            share = float(((made > 0) == (given > given.mean())).float().mean())
            return (("binary", share),) if share > _NEAR else ()
        decimals = self._decimals
        if decimals is not None and float(offset.abs().max()) <= 0.5 * 0.1**decimals + self._allowed:
            return (("rounded", float(decimals)),)
        levels = self._quantized_levels
        if levels is not None and float(cosines.mean()) > _NEAR:
            return (("int8", float(levels)),)
        if float(cosines.min()) >= _SAME_DIRECTION:
            ratio = given.norm(dim=1) / made.norm(dim=1).clamp(min=1e-12)
            even = float(ratio.std(correction=0) / ratio.mean()) < 1e-3
            return (("scale" if even else "norm", float(ratio.mean())),)
        nearest, places = _similar(made, self._pool).max(1)
        # A text that stands there twice has its vector in both places.
        moved = (places != self._places) & (nearest > _cosines(made, given) + 1e-3)
        if bool(moved.any()) and float((nearest > _SAME_DIRECTION - 1e-3).float().mean()) > 0.9:
            return (("shuffled", float(moved.sum())),)
        return self._mapped(made, whole) if float(cosines.mean()) < _NEAR else ()

    def _mapped(self, made: torch.Tensor, whole: torch.Tensor) -> tuple[tuple[str, float], ...]:
        """By which map of the numbers of each vector one gets from the made ones to the given."""
        given, count = self._given, len(self._given)
        if self._job.integers:
            columns = _cosines((made - made.mean(0)).T, (given - given.mean(0)).T)
            # A column with one value has no direction.
            known = columns[(given != given[:1]).any(0)]
            if count > 2 and len(known) and float(known.mean()) > _NEAR:
                return (("columns scaled", float(known.mean())),)
            return ()
        distances = torch.cdist(given.T.contiguous(), made.T.contiguous(), p=float("inf"))
        least, order = distances.min(1)
        if float(least.max()) <= self._allowed and len(order.unique()) == len(order):
            return (("columns moved", float((order != torch.arange(len(order))).sum())),)
        own = _gram(whole)
        if count > 2 and float((own - self._gram).abs().max()) <= _EXACT * float(own.abs().max()):
            return (("rotated", float(self._size)),)
        if len(whole.unique(dim=0)) > whole.shape[1] + 1:
            known = torch.cat([whole, torch.ones(count, 1)], dim=1).double()
            solution = torch.linalg.lstsq(known, given.double()).solution
            if float((known @ solution - given).abs().max()) <= _EXACT * float(given.abs().max()):
                return (("linear", float(self._size)),)
        return ()


def _first(values: Mapping[Any, float], most: int) -> list[Any]:
    return sorted(values, key=lambda name: -values[name])[:most]


def _gram(vectors: torch.Tensor) -> torch.Tensor:
    centred = vectors - vectors.mean(0)
    return centred @ centred.T


def _cosines(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Cosine of each row with its own. Shape: (texts,)."""
    return functional.cosine_similarity(first.double(), second.double(), dim=1)


def _similar(made: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    """Cosine of each made row with each of the pool, whose rows have length 1. Shape: (texts, rows of the pool)."""
    return functional.normalize(made, dim=1) @ pool.T


def _levels(given: torch.Tensor) -> int | None:
    """Number of levels where the numbers were quantized to at most 256, with one scale for all or for each row."""
    if given.numel() < 1024:
        return None
    levels = given.unique().numel()
    if levels <= 256:
        return int(levels)
    steps = given / (given.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127)
    return 255 if float((steps - steps.round()).abs().max()) < 1e-2 else None
