"""The vectors of many texts: batches of like length, padded to the longest of the batch, in the order of the texts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

from bertshape.errors import CheckpointError, UsageError
from bertshape.pooling.inputs import PoolingInputs
from bertshape.run.devices import device_errors
from bertshape.run.forward import forward, look
from bertshape.run.observation import Vectors
from bertshape.run.save import save

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.predict.architecture import Architecture
    from bertshape.run.observation import VectorJob
    from bertshape.run.recipes import ScoreJob
    from bertshape.run.sentence_chain import LoadedChain
    from bertshape.tokens.encode import EncodedRow


def embed_rows(
    model: Any,
    architecture: Architecture,
    device: torch.device,
    rows: Sequence[EncodedRow],
    job: VectorJob,
    chain: LoadedChain | None,
) -> Vectors:
    """Run all rows, longest first: what does not fit the memory fails at once, not after an hour.

    Args:
        model: The model, on its device.
        architecture: Which inputs it takes.
        device: Its device.
        rows: The texts.
        job: What to make of them.
        chain: Steps after the model that sentence-transformers would take; None for none.

    Raises:
        CheckpointError: The model cannot take a batch.
        DeviceError: The device's memory is not enough.
    """
    order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
    results: dict[str, torch.Tensor] = {}
    positions = batches = 0
    begin = time.perf_counter()
    with device_errors(device), torch.inference_mode():
        for start in range(0, len(order), job.batch_size):
            chosen = order[start : start + job.batch_size]
            inputs, special = batch_inputs(architecture, device, [rows[index] for index in chosen], job)
            for name, vectors in _vectors(model, inputs, special, job, chain).items():
                if name not in results:
                    results[name] = torch.empty((len(rows), *vectors.shape[1:]), dtype=vectors.dtype)
                results[name][chosen] = vectors.cpu()
            positions += inputs["input_ids"].numel()
            batches += 1
            job.progress(len(chosen))
    seconds = time.perf_counter() - begin
    numbers = {}
    saved = {name: look(value) for name, value in results.items()}
    if job.saving is None:
        numbers = {name: value.float().tolist() for name, value in results.items()}
    elif job.keep_broken or not any(seen.not_finite for seen in saved.values()):
        save(job.saving, results)
    return Vectors(saved, batches, positions, seconds, str(device), numbers)


def batch_inputs(
    architecture: Architecture, device: torch.device, rows: Sequence[EncodedRow], job: VectorJob | ScoreJob
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Tensors of shape (batch_size, sequence_length) on the device, and which tokens are special."""

    def pad(arrays: list[Any], dtype: Any, value: int) -> torch.Tensor:
        tensors = [
            torch.frombuffer(values, dtype=dtype) if values else torch.empty(0, dtype=dtype) for values in arrays
        ]
        padded = torch.nn.utils.rnn.pad_sequence(tensors, True, value, padding_side=job.padding_side)
        if device.type == "cuda":
            # From pinned memory a copy runs while the one before it computes.
            return padded.pin_memory().to(device, non_blocking=True)
        return padded.to(device)

    input_ids = pad([row.input_ids for row in rows], torch.int32, job.pad_id).long()
    special = pad([row.special_tokens_mask for row in rows], torch.int8, 1).long()
    ones = [torch.ones(len(row), dtype=torch.int64) for row in rows]
    mask = torch.nn.utils.rnn.pad_sequence(ones, True, 0, padding_side=job.padding_side).to(device)
    inputs = {"input_ids": input_ids, "attention_mask": mask}
    if architecture.accepts_token_type_ids and "token_type_ids" in job.inputs:
        inputs["token_type_ids"] = pad([row.token_type_ids for row in rows], torch.int8, 0).long()
    return inputs, special


def _vectors(
    model: Any, inputs: Mapping[str, torch.Tensor], special: torch.Tensor, job: VectorJob, chain: LoadedChain | None
) -> dict[str, torch.Tensor]:
    """The vectors of one batch, by the names that they get in the file."""
    layers = any(strategy.needs_hidden_states for strategy in job.strategies)
    layers = layers or (chain is not None and chain.needs_hidden_states)
    outputs = forward(model, inputs, attentions=False, hidden_states=layers)
    given = PoolingInputs(
        last_hidden_state=outputs.get("last_hidden_state"),
        attention_mask=inputs["attention_mask"],
        special_tokens_mask=special,
        word_index=special,
        num_words=0,
        hidden_states=tuple(outputs.hidden_states) if layers else (outputs.get("last_hidden_state"),),
        pooler_output=outputs.get("pooler_output"),
    )
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
