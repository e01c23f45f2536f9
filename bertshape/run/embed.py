"""The vectors of many texts, window after window: batches of like length, written in the order of the texts."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from bertshape.errors import CheckpointError, UsageError
from bertshape.pooling.inputs import PoolingInputs
from bertshape.run.arrays import as_numpy
from bertshape.run.batches import Batches
from bertshape.run.devices import device_errors
from bertshape.run.forward import forward, look, states
from bertshape.run.observation import Observed, Vectors
from bertshape.run.vector_files import open_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bertshape.predict.architecture import Architecture
    from bertshape.run.recipes import ScoreJob
    from bertshape.run.request import VectorJob, Window
    from bertshape.run.sentence_chain import LoadedChain
    from bertshape.tokens.encode import EncodedRow


_SEVERAL = 3
"""Texts of other tokens that have one vector by no chance."""
_NOISE = 1e-5
"""By how much sums of the same numbers in another order differ."""


class _WorthlessError(Exception):
    """Vectors hold NaN, or are all the same: what was written must not take its place."""


@dataclass
class _Tally:
    """What was done so far; a value that changes."""

    saved: dict[str, Observed] = field(default_factory=dict)
    positions: int = 0
    batches: int = 0
    seconds: float = 0.0
    kept: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    first: dict[str, torch.Tensor] = field(default_factory=dict)
    texts: set[bytes] = field(default_factory=set)
    alike: bool = True

    def add(self, rows: Sequence[EncodedRow], arrays: Mapping[str, torch.Tensor]) -> None:
        if len(self.texts) < _SEVERAL:
            self.texts |= {bytes(row.input_ids) for row in rows[:_SEVERAL]}
        for name, value in arrays.items():
            first = self.first.setdefault(name, value[0].clone())
            self.alike = self.alike and bool(torch.allclose(value, first.expand_as(value), rtol=_NOISE, atol=0))
            seen, before = look(value), self.saved.get(name)
            if before is not None:
                sizes = (before.sizes[0] + seen.sizes[0], *seen.sizes[1:])
                broken, numbers = before.not_finite + seen.not_finite, before.numbers + seen.numbers
                seen = replace(seen, sizes=sizes, not_finite=broken, numbers=numbers)
            self.saved[name] = seen

    @property
    def collapsed(self) -> bool:
        return self.alike and len(self.texts) >= _SEVERAL

    @property
    def broken(self) -> bool:
        return any(seen.not_finite for seen in self.saved.values())


def embed_windows(
    model: Any,
    architecture: Architecture,
    device: torch.device,
    windows: Iterable[Window],
    job: VectorJob,
    chain: LoadedChain | None,
) -> Vectors:
    """Run all texts, and write or keep the vector of each.

    Args:
        model: The model, on its device.
        architecture: Which inputs it takes.
        device: Its device.
        windows: The texts; no more than one window is held.
        job: What to make of them.
        chain: Steps after the model that sentence-transformers would take; None for none.

    Raises:
        CheckpointError: The model cannot take a batch.
        DeviceError: The device's memory is not enough for a single text.
        OutputError: The file cannot be written.
    """
    tally, batches = _Tally(), Batches(device, job.batch_size)
    opened = nullcontext() if job.saving is None else open_vectors(job.saving)
    try:
        with opened as file, device_errors(device):
            for window in windows:
                begin = time.perf_counter()
                with torch.inference_mode():
                    arrays = _run(model, architecture, device, window.rows, job, chain, batches, tally)
                tally.add(window.rows, arrays)
                if tally.broken and job.saving is not None and not job.keep_broken:
                    raise _WorthlessError
                if file is not None:
                    file.write(window.records, arrays)
                else:
                    for name, value in arrays.items():
                        tally.kept.setdefault(name, []).append(value)
                tally.seconds += time.perf_counter() - begin
            if tally.collapsed and job.saving is not None and not job.keep_broken:
                raise _WorthlessError
    except _WorthlessError:
        pass  # What was seen says so.
    halved_to = batches.positions if batches.halved else None
    counts = tally.batches, tally.positions, tally.seconds
    kept = {name: as_numpy(torch.cat(parts)) for name, parts in tally.kept.items()}
    return Vectors(tally.saved, *counts, str(device), halved_to, kept, tally.collapsed)


def _run(
    model: Any,
    architecture: Architecture,
    device: torch.device,
    rows: Sequence[EncodedRow],
    job: VectorJob,
    chain: LoadedChain | None,
    batches: Batches,
    tally: _Tally,
) -> dict[str, torch.Tensor]:
    """The vectors of a window in the order of its texts. Shape of each: (number of texts, size of the vector)."""
    results: dict[str, torch.Tensor] = {}

    def work(chosen: list[int]) -> dict[str, torch.Tensor]:
        inputs, special = batch_inputs(architecture, device, [rows[index] for index in chosen], job)
        made = _vectors(model, inputs, special, job, chain)
        return {name: vectors.cpu() for name, vectors in made.items()}

    for chosen, made in batches.run([len(row) for row in rows], work):
        for name, vectors in made.items():
            if name not in results:
                results[name] = torch.empty((len(rows), *vectors.shape[1:]), dtype=vectors.dtype)
            results[name][chosen] = vectors
        tally.positions += len(chosen) * max(len(rows[index]) for index in chosen)
        tally.batches += 1
        job.progress(len(chosen))
    return results


def batch_inputs(
    architecture: Architecture, device: torch.device, rows: Sequence[EncodedRow], job: VectorJob | ScoreJob
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Tensors of shape (batch_size, sequence_length) on the device, and which tokens are special."""

    def pad(arrays: list[Any], dtype: Any, value: int) -> torch.Tensor:
        tensors = [
            torch.frombuffer(values, dtype=dtype) if values else torch.empty(0, dtype=dtype) for values in arrays
        ]
        return torch.nn.utils.rnn.pad_sequence(tensors, True, value, padding_side=job.padding_side).to(device)

    input_ids = pad([row.input_ids for row in rows], torch.int32, job.pad_id).long()
    special = pad([row.special_tokens_mask for row in rows], torch.int8, 1).long()
    ones = [torch.ones(len(row), dtype=torch.int64) for row in rows]
    mask = torch.nn.utils.rnn.pad_sequence(ones, True, 0, padding_side=job.padding_side).to(device)
    inputs = {"input_ids": input_ids, "attention_mask": mask}
    if architecture.accepts_token_type_ids and "token_type_ids" in job.inputs:
        inputs["token_type_ids"] = pad([row.token_type_ids for row in rows], torch.int8, 0).long()
    return inputs, special


def pooling_inputs(
    outputs: Any, inputs: Mapping[str, torch.Tensor], special: torch.Tensor, *, layers: bool
) -> PoolingInputs:
    """What strategies of one vector per text take; none of them reads words.

    Args:
        outputs: Those of a forward pass.
        inputs: Its inputs.
        special: Mask of the special tokens. Shape: (batch_size, sequence_length).
        layers: Whether the outputs have hidden_states.
    """
    return PoolingInputs(
        last_hidden_state=outputs.get("last_hidden_state"),
        attention_mask=inputs["attention_mask"],
        special_tokens_mask=special,
        word_index=special,
        num_words=0,
        hidden_states=states(outputs) if layers else (outputs.get("last_hidden_state"),),
        pooler_output=outputs.get("pooler_output"),
    )


def _vectors(
    model: Any, inputs: Mapping[str, torch.Tensor], special: torch.Tensor, job: VectorJob, chain: LoadedChain | None
) -> dict[str, torch.Tensor]:
    """The vectors of one batch, by the names that they get in the file."""
    layers = any(strategy.needs_hidden_states for strategy in job.strategies)
    layers = layers or (chain is not None and chain.needs_hidden_states)
    outputs = forward(model, inputs, attentions=False, hidden_states=layers)
    given = pooling_inputs(outputs, inputs, special, layers=layers)
    _check_outputs(outputs, job)
    vectors = {f"pooled.{strategy.name}": strategy.function(given) for strategy in job.strategies}
    if chain is not None:
        embedding = chain.run(given, job.prompt_length).embedding
        if embedding is None or embedding.ndim != 2:
            message = "the checkpoint's sentence embedding is not one vector per text"
            raise UsageError(message, hint="Name strategies with --pooling.", code="embedding-not-a-vector")
        vectors["sentence_embedding"] = embedding
    return vectors


def _check_outputs(outputs: Any, job: VectorJob) -> None:
    """Refuse strategies for which the model gives nothing; of families outside the table only a run shows it."""
    for strategy in job.strategies:
        needed = "pooler_output" if "pooler" in strategy.name.split("+") else "last_hidden_state"
        if outputs.get(needed) is None:
            raise CheckpointError(
                f"--pooling {strategy.name} needs {needed}, and the model gives none",
                hint="Choose another strategy: bertshape poolings.",
                code="pooling-unavailable",
            )
