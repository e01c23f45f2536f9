"""Score every candidate recipe against given vectors: one forward pass per batch of tokens, all strategies at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from bertshape.errors import CheckpointError
from bertshape.run.devices import device_errors
from bertshape.run.embed import batch_inputs, pooling_inputs
from bertshape.run.forward import forward
from bertshape.run.nearness import Nearness
from bertshape.run.recipes import DECLARED, SENTENCE_MODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.predict.architecture import Architecture
    from bertshape.run.recipes import Score, ScoreJob, Variant
    from bertshape.run.sentence_chain import LoadedChain

_KEPT = 12

Way = tuple[str, int]
"""A strategy, and the number of declared steps that are taken after it."""
Vectors = dict[Way, torch.Tensor]


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
        self._nearness = Nearness(job)

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
        order = list(range(len(variant.rows)))
        if not variant.in_order:
            order.sort(key=lambda index: -len(variant.rows[index]))
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
        how = (variant.prompt_length, variant.masked, variant.pad_to)
        key = (how, tuple((row.input_ids.tobytes(), row.token_type_ids.tobytes()) for row in rows))
        if key in self._ran:
            return self._ran[key]
        inputs, special = batch_inputs(self._architecture, self._device, rows, self._job)
        if variant.pad_to is not None:
            inputs, special = self._padded(inputs, special, variant.pad_to)
        unmasked = torch.ones_like(inputs["attention_mask"])
        if variant.masked == "nowhere":
            inputs["attention_mask"] = unmasked
        outputs = forward(self._model, inputs, attentions=False)
        given = pooling_inputs(outputs, inputs, special, layers=True)
        if variant.masked == "in the model":
            given = replace(given, attention_mask=unmasked)
        vectors = {
            (strategy.name, 0): strategy.function(given).float().cpu()
            for strategy in self._job.strategies
            if strategy.name != "pooler" or given.pooler_output is not None
        }
        if self._chain is not None:
            embedding = self._chain.run(given, variant.prompt_length).embedding
            if embedding is not None and embedding.ndim == 2:
                vectors[DECLARED, 0] = embedding.float().cpu()
            vectors |= self._chain.after_pooling(
                {name: vectors[name, 0] for name in SENTENCE_MODES if (name, 0) in vectors}
            )
        if not all(bool(value.isfinite().all()) for value in vectors.values()):
            raise CheckpointError(
                "the model gives NaN or infinity for these texts, so no vectors were made by it as it is",
                hint="Look at the weights with check --values.",
                code="non-finite-outputs",
            )
        self._ran[key] = vectors
        return vectors

    def _padded(
        self, inputs: Mapping[str, torch.Tensor], special: torch.Tensor, length: int
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """A batch filled up to a length. Shape of each: (batch_size, length)."""
        more = length - special.shape[1]
        sides = (more, 0) if self._job.padding_side == "left" else (0, more)
        filled = {
            name: functional.pad(value, sides, value=self._job.pad_id if name == "input_ids" else 0)
            for name, value in inputs.items()
        }
        return filled, functional.pad(special, sides, value=1)

    def _score(self, index: int, vectors: Vectors) -> list[Score]:
        """Those of one variant that are nearest."""
        size = self._job.given.shape[1]
        # A beginning is taken of whole vectors alone: the beginning of joined ones is that of their first part.
        whole = {self._architecture.dimensions.hidden_size, size}
        candidates = {
            way: value
            for way, value in vectors.items()
            if value.shape[1] >= size and (way[0] == DECLARED or way[1] or value.shape[1] in whole)
        }
        candidates |= _ranges(vectors, self._job.ranges, size)
        return [
            replace(self._nearness.fit(candidates[way]), variant=index, strategy=way[0], steps=way[1])
            for way in self._nearness.nearest(candidates, _KEPT)
        ]


def _ranges(vectors: Vectors, ranges: Mapping[str, tuple[str, tuple[str, ...]]], size: int) -> Vectors:
    made: Vectors = {}
    for name, (join, parts) in ranges.items():
        found = [vectors[part, 0] for part in parts if (part, 0) in vectors]
        if len(found) < len(parts):
            continue
        if join == "concat":
            if sum(part.shape[1] for part in found) == size:
                made[name, 0] = torch.cat(found, dim=1)
        elif found[0].shape[1] >= size:
            stacked = torch.stack(found)
            made[name, 0] = stacked.mean(0) if join == "mean" else stacked.sum(0)
    return made
