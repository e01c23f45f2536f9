"""The tensors of one text in two batches, compared in the order in which the model makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertshape.pooling.functions import mean
from bertshape.run.agreement import Agreement

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from bertshape.pooling.inputs import PoolingInputs


def of_first_text(outputs: Any, inputs: PoolingInputs, embedding: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """What a run gives for the first text of its batch, padding left out.

    Args:
        outputs: What the model gave.
        inputs: The same, as pooling takes it.
        embedding: The sentence embeddings; None where the checkpoint declares none, for which the mean stands.
            Shape: (batch_size, embedding_dimension).

    Returns:
        Tensors by name, in the order in which they are made. Shape of a layer: (tokens, hidden_size).
    """
    there = inputs.attention_mask[0].bool()
    last = outputs.get("last_hidden_state")
    layers = [layer for layer in outputs.get("hidden_states") or () if last is not None and layer.shape == last.shape]
    found = {"embeddings" if index == 0 else f"layer {index}": layer[0][there] for index, layer in enumerate(layers)}
    if last is not None:
        found["last_hidden_state"] = last[0][there]
    if outputs.get("pooler_output") is not None:
        found["pooler_output"] = outputs["pooler_output"][0]
    if embedding is not None:
        found["sentence_embedding"] = embedding[0]
    elif last is not None:
        found["pooled.mean"] = mean(inputs)[0]
    return found


def agreements(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> tuple[Agreement, ...]:
    """How far tensors of the same names are apart."""
    both = ((name, tensor, other[name]) for name, tensor in one.items() if name in other)
    return tuple(
        Agreement(name, _largest(tensor.cpu().double() - second.cpu().double()), _largest(tensor.cpu().double()))
        for name, tensor, second in both  # On the CPU: Apple's devices have no float64.
        if tensor.shape == second.shape
    )


def _largest(tensor: torch.Tensor) -> float:
    return float(tensor.abs().max()) if tensor.numel() else 0.0
