"""The steps after the model that sentence-transformers takes: Pooling, Dense, LayerNorm, Normalize, truncation."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.checkpoint.sentence_transformers import SENTENCE, TOKENS
from bertshape.errors import CheckpointError, one_line
from bertshape.pooling.shapes import select

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from bertshape.checkpoint.sentence_transformers import Module
    from bertshape.pooling.inputs import PoolingInputs

_SEED = 0


@dataclass(frozen=True)
class Chain:
    """The steps that can be followed.

    Attributes:
        steps: From the Transformer on, as many as were predicted to give a shape.
        folder: Folder of the checkpoint, which the steps' folders are in; None where weights are random.
        pooling: Strategies of the Pooling step, such as `cls+mean`.
        truncate_dim: Size that the final vector is cut to, if any.
    """

    steps: tuple[Module, ...]
    folder: Path | None
    pooling: str | None
    truncate_dim: int | None


def run_chain(chain: Chain, inputs: PoolingInputs) -> list[torch.Tensor]:
    """What each step gives, in order.

    Args:
        chain: The steps.
        inputs: What the model gave.

    Returns:
        A tensor for each step, and one more where the vector is cut.
        Shape: (batch_size, ...), those of `bertshape.predict.sentence_chain.predict_embedding`.

    Raises:
        CheckpointError: The weights of a step cannot be read, or do not fit.
    """
    import torch

    features: dict[str, torch.Tensor] = {TOKENS: inputs.last_hidden_state}
    given = []
    for step in chain.steps:
        if step.name == "Pooling":
            features[SENTENCE] = select([chain.pooling or "mean"])[0].function(inputs)
            given.append(features[SENTENCE])
        elif step.name == "Transformer":
            given.append(features[TOKENS])
        else:
            features[step.gives] = _apply(torch, step, chain.folder, features[step.takes])
            given.append(features[step.gives])
    if chain.truncate_dim is not None and SENTENCE in features:
        given.append(features[SENTENCE][..., : chain.truncate_dim])
    return given


def _apply(torch: Any, step: Module, folder: Path | None, vectors: torch.Tensor) -> torch.Tensor:
    if step.name == "Normalize":
        return torch.nn.functional.normalize(vectors, p=2, dim=-1)  # type: ignore[no-any-return]
    if step.name == "Dropout":
        return vectors
    weights = _random(torch, step) if folder is None else _stored(torch, step, folder)
    weights = {name: tensor.to(device=vectors.device, dtype=vectors.dtype) for name, tensor in weights.items()}
    try:
        if step.name == "LayerNorm":
            size = (vectors.shape[-1],)
            return torch.nn.functional.layer_norm(vectors, size, weights["norm.weight"], weights["norm.bias"])  # type: ignore[no-any-return]
        given = torch.nn.functional.linear(vectors, weights["linear.weight"], weights.get("linear.bias"))
        given = _activation(torch, step)(given)
        if not step.residual:
            return given  # type: ignore[no-any-return]
        residual = weights.get("residual.weight")
        return given + (vectors if residual is None else torch.nn.functional.linear(vectors, residual))  # type: ignore[no-any-return]
    except (KeyError, RuntimeError) as error:
        raise _invalid(step, f"do not fit: {one_line(error)}") from error


def _activation(torch: Any, step: Module) -> Any:
    """The activation of a Dense step; a class of torch alone, as sentence-transformers does without remote code."""
    module, _, name = step.activation.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
        if isinstance(found, type) and issubclass(found, torch.nn.Module):
            return found()
    except (ImportError, AttributeError, TypeError) as error:
        raise _invalid(step, f"name an activation that torch lacks: {step.activation}") from error
    raise _invalid(step, f"name an activation that is no class of torch.nn: {step.activation}")


def _stored(torch: Any, step: Module, folder: Path) -> Mapping[str, torch.Tensor]:
    path = folder / step.path
    try:
        if (path / "model.safetensors").exists():
            from safetensors.torch import load_file

            return load_file(path / "model.safetensors")
        return torch.load(path / "pytorch_model.bin", map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except Exception as error:  # safetensors and pickle have errors of their own, many of them
        raise _invalid(step, f"cannot be read: {one_line(error)}") from error


def _random(torch: Any, step: Module) -> dict[str, torch.Tensor]:
    """Seeded numbers for a step whose weights are not used."""
    taken, given = step.input_dimension or 1, step.output_dimension or 1
    if step.name == "LayerNorm":
        return {"norm.weight": torch.ones(given), "norm.bias": torch.zeros(given)}
    generator = torch.Generator().manual_seed(_SEED)
    weights = {"linear.weight": torch.empty(given, taken).normal_(0, 0.02, generator=generator)}
    if step.bias:
        weights["linear.bias"] = torch.zeros(given)
    if step.residual and taken != given:
        weights["residual.weight"] = torch.empty(given, taken).normal_(0, 0.02, generator=generator)
    return weights


def _invalid(step: Module, what: str) -> CheckpointError:
    return CheckpointError(
        f"the weights of the step {step.name} ({step.path}) {what}",
        hint="Restore the sentence-transformers folders from the original checkpoint.",
        code="step-invalid",
    )
