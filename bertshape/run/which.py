"""Score every candidate recipe against given vectors: one forward pass per batch of tokens, all strategies at once."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from bertshape.errors import CheckpointError
from bertshape.run.devices import device_errors
from bertshape.run.embed import batch_inputs, pooling_inputs
from bertshape.run.forward import forward
from bertshape.run.recipes import DECLARED, SENTENCE_MODES, Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.predict.architecture import Architecture
    from bertshape.run.recipes import ScoreJob, Variant
    from bertshape.run.sentence_chain import LoadedChain

_KEPT = 12
_STEPS = ">"
"""Between the name of a strategy and the number of declared steps taken after it."""
_SAME_DIRECTION = 1 - 1e-5
_NEAR = 0.99

Vectors = dict[str, torch.Tensor]


class Scorer:
    """Runs the variants and compares; what ran once in the same batch is not run again."""

    def __init__(
        self, model: Any, architecture: Architecture, device: torch.device, job: ScoreJob, chain: LoadedChain | None
    ) -> None:
        """Begin with nothing run.

        Args:
            model: The model, on its device.
            architecture: Which inputs it takes.
            device: Its device.
            job: What to compare.
            chain: The declared steps after the model; None for none.
        """
        self._model, self._architecture, self._device, self._job, self._chain = model, architecture, device, job, chain
        self._ran: dict[object, Vectors] = {}
        self._given = torch.from_numpy(job.given)
        self._places = torch.tensor(job.places)
        self._allowed = job.tolerance

    @cached_property
    def _pool(self) -> torch.Tensor:
        """The vectors among which one in another place is sought, each of length 1; needed where nothing fits."""
        return functional.normalize(torch.tensor(self._job.pool), dim=1)

    @cached_property
    def _quantized_levels(self) -> int | None:
        """Levels of the given vectors; needed where nothing fits."""
        return _levels(self._given)

    def score(self, variants: Sequence[Variant]) -> tuple[Score, ...]:
        """The nearest candidates, the best first.

        Args:
            variants: The texts, tokenized in several ways.

        Raises:
            CheckpointError: The model cannot take a batch.
            DeviceError: The device's memory is not enough.
        """
        found: list[Score] = []
        with device_errors(self._device), torch.inference_mode():
            for index, variant in enumerate(variants):
                found += self._score(index, self._vectors(variant))
        return tuple(sorted(found, key=lambda score: (-round(score.cosine, 5), score.difference)))

    def _vectors(self, variant: Variant) -> Vectors:
        """Vectors of all single strategies. Shape of each: (texts, a multiple of hidden_size)."""
        order = sorted(range(len(variant.rows)), key=lambda index: -len(variant.rows[index]))
        results: Vectors = {}
        for start in range(0, len(order), self._job.batch_size):
            chosen = order[start : start + self._job.batch_size]
            for name, vectors in self._batch(variant, chosen).items():
                if name not in results:
                    results[name] = torch.empty((len(order), vectors.shape[1]))
                results[name][chosen] = vectors
        return results

    def _batch(self, variant: Variant, chosen: list[int]) -> Vectors:
        rows = [variant.rows[index] for index in chosen]
        key = (variant.prompt_length, tuple((row.input_ids.tobytes(), row.token_type_ids.tobytes()) for row in rows))
        if key in self._ran:
            return self._ran[key]
        inputs, special = batch_inputs(self._architecture, self._device, rows, self._job)
        outputs = forward(self._model, inputs, attentions=False)
        given = pooling_inputs(outputs, inputs, special, layers=True)
        vectors = {
            strategy.name: strategy.function(given).float().cpu()
            for strategy in self._job.strategies
            if strategy.name != "pooler" or given.pooler_output is not None
        }
        if self._chain is not None:
            embedding = self._chain.run(given, variant.prompt_length).embedding
            if embedding is not None and embedding.ndim == 2:
                vectors[DECLARED] = embedding.float().cpu()
            single = {name: vectors[name] for name in SENTENCE_MODES if name in vectors}
            vectors |= {
                f"{name}{_STEPS}{count}": value for (name, count), value in self._chain.after_pooling(single).items()
            }
        if not all(bool(value.isfinite().all()) for value in vectors.values()):
            raise CheckpointError(
                "the model gives NaN or infinity for these texts, so no vectors were made by it as it is",
                hint="Look at the weights with check --values.",
                code="non-finite-outputs",
            )
        self._ran[key] = vectors
        return vectors

    def _score(self, index: int, vectors: Vectors) -> list[Score]:
        """Those of one variant that are nearest: by direction, less a constant, or in another order."""
        given, size = self._given, self._given.shape[1]
        # A beginning is taken of whole vectors alone: the beginning of joined ones is that of their first part.
        whole = {self._architecture.dimensions.hidden_size, size}
        candidates = {
            name: value
            for name, value in vectors.items()
            if value.shape[1] >= size and (name == DECLARED or _STEPS in name or value.shape[1] in whole)
        }
        candidates |= _ranges(vectors, self._job.ranges, size)
        cosines = {name: float(_cosines(value[:, :size], given).mean()) for name, value in candidates.items()}
        kept = sorted(cosines, key=lambda name: -cosines[name])[:_KEPT]
        if cosines and max(cosines.values()) < _NEAR:
            centred = given - given.mean(0)
            others = {
                name: float(_cosines(value[:, :size] - value[:, :size].mean(0), centred).mean())
                for name, value in candidates.items()
            }
            kept += sorted(others, key=lambda name: -others[name])[:2]
            found = {
                name: float(_similar(value[:, :size], self._pool).amax(1).mean()) for name, value in candidates.items()
            }
            kept += sorted(found, key=lambda name: -found[name])[:2]
        return [self._fit(index, name, candidates[name]) for name in dict.fromkeys(kept)]

    def _fit(self, index: int, name: str, whole: torch.Tensor) -> Score:
        given, size = self._given, self._given.shape[1]
        cut = whole[:, :size]
        best: Score | None = None
        for normalize, made in ((False, cut), (True, functional.normalize(cut, dim=-1))):
            differences = (made - given).abs().amax(1)
            cosines = _cosines(made, given)
            score = Score(
                variant=index,
                strategy=name.partition(_STEPS)[0],
                steps=int(name.partition(_STEPS)[2] or 0),
                normalize=normalize,
                truncated=whole.shape[1] > size,
                difference=float(differences.max()),
                cosine=float(cosines.mean()),
                least_cosine=float(cosines.min()),
                row_differences=tuple(differences.tolist()),
            )
            if best is not None and not best.lacks and best.difference <= self._allowed:
                return best
            if best is None or score.difference < best.difference * (1 - 1e-3):
                best = replace(score, lacks=self._lacks(made, given, score))
        assert best is not None
        return best

    def _lacks(self, made: torch.Tensor, given: torch.Tensor, score: Score) -> tuple[tuple[str, float], ...]:
        """What keeps a candidate from fitting; empty where it fits, or where nothing is recognised."""
        tolerance = self._allowed
        if score.difference <= tolerance:
            return ()
        offset = given - made
        spread = float((offset - offset.mean(0)).abs().max())
        if spread <= tolerance:
            return (("offset", float(offset.mean(0).abs().max())),)
        levels = self._quantized_levels
        if levels is not None and float(score.cosine) > _NEAR:
            return (("int8", float(levels)),)
        if score.least_cosine >= _SAME_DIRECTION:
            ratio = given.norm(dim=1) / made.norm(dim=1).clamp(min=1e-12)
            even = float(ratio.std(correction=0) / ratio.mean()) < 1e-3
            return (("scale" if even else "norm", float(ratio.mean())),)
        nearest, places = _similar(made, self._pool).max(1)
        # A text that stands there twice has its vector in both places.
        moved = (places != self._places) & (nearest > _cosines(made, given) + 1e-3)
        if bool(moved.any()) and float((nearest > _SAME_DIRECTION - 1e-3).float().mean()) > 0.9:
            return (("shuffled", float(moved.sum())),)
        return ()


def _ranges(vectors: Vectors, ranges: Mapping[str, tuple[str, tuple[str, ...]]], size: int) -> Vectors:
    made: Vectors = {}
    for name, (join, parts) in ranges.items():
        found = [vectors[part] for part in parts if part in vectors]
        if len(found) < len(parts):
            continue
        if join == "concat":
            if sum(part.shape[1] for part in found) == size:
                made[name] = torch.cat(found, dim=1)
        elif found[0].shape[1] >= size:
            stacked = torch.stack(found)
            made[name] = stacked.mean(0) if join == "mean" else stacked.sum(0)
    return made


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
