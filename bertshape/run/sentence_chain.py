"""The steps after the model that sentence-transformers takes: Pooling, Dense, LayerNorm, Normalize, truncation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch.nn import functional

from bertshape.checkpoint.pickles import check_pickle
from bertshape.checkpoint.steps import SENTENCE, TOKENS
from bertshape.errors import CheckpointError, one_line
from bertshape.pooling.shapes import select
from bertshape.run.devices import is_device_failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bertshape.checkpoint.steps import Module
    from bertshape.pooling.inputs import PoolingInputs
    from bertshape.run.request import Chain

_SEED = 0


@dataclass(frozen=True)
class Followed:
    """What a chain gave.

    Attributes:
        steps: What each step gave, in order, and one more where the end is not what the last step gives.
            Shape: (batch_size, ...), those of `bertshape.predict.sentence_chain.predict_embedding`.
        embedding: The sentence embedding, where the steps come to one. Shape: (batch_size, embedding_dimension).
    """

    steps: tuple[torch.Tensor, ...] = ()
    embedding: torch.Tensor | None = None


class LoadedChain:
    """The steps of a chain with their weights, loaded once with the model."""

    def __init__(self, chain: Chain, device: torch.device) -> None:
        """Read the weights of every step that has some.

        Args:
            chain: The steps.
            device: Where they run.

        Raises:
            CheckpointError: The weights of a step cannot be read.
        """
        self._chain = chain
        self._pooling = {
            step.pooling: select([step.pooling])[0].function for step in chain.steps if step.name == "Pooling"
        }
        self._weights = {
            index: {name: tensor.to(device) for name, tensor in _weights(step, chain.folder).items()}
            for index, step in enumerate(chain.steps)
            if step.has_weights
        }

    @property
    def needs_hidden_states(self) -> bool:
        """Whether it begins with the output of a layer before the last."""
        return any(step.output[0] == "hidden_states" for step in self._chain.steps if step.name == "Transformer")

    def run(self, inputs: PoolingInputs, prompt_length: int = 0) -> Followed:
        """Take the steps.

        Args:
            inputs: What the model gave.
            prompt_length: Tokens of the prompt, which some Pooling steps leave out.

        Raises:
            CheckpointError: The weights of a step do not fit.
        """
        features: dict[str, torch.Tensor] = {}
        given = []
        for index, step in enumerate(self._chain.steps):
            taken = _output(step, inputs) if step.name == "Transformer" else features.get(step.takes)
            if taken is None:  # A Normalize before there is anything: sentence-transformers passes over it.
                given.append(features[TOKENS])
                continue
            if step.name == "Pooling":
                pooled = replace(inputs, last_hidden_state=taken, max_of_none=-torch.inf)
                taken = self._pooling[step.pooling](pooled if step.include_prompt else pooled.without(prompt_length))
            elif step.name != "Transformer":
                taken = _apply(step, self._weights.get(index, {}), taken)
            features[step.gives] = taken
            given.append(taken)
        embedding = features.get(SENTENCE) if self._chain.complete else None
        if embedding is not None and self._chain.truncate_dim is not None:
            embedding = embedding[..., : self._chain.truncate_dim]
            given.append(embedding)
        elif embedding is not None and self._chain.steps[-1].gives != SENTENCE:
            given.append(embedding)
        return Followed(tuple(given), embedding)

    def after_pooling(self, pooled: Mapping[str, torch.Tensor]) -> dict[tuple[str, int], torch.Tensor]:
        """What the steps after Pooling make of vectors that were pooled in any way.

        Args:
            pooled: Vectors by the strategy. Shape: (texts, hidden_size).

        Returns:
            Vectors by the strategy and the number of steps taken, where the last of these has weights; empty where no
            step has some, or the vectors do not come from one Pooling.
        """
        names = [step.name for step in self._chain.steps]
        if names.count("Pooling") != 1 or not self._weights:
            return {}
        first = names.index("Pooling") + 1
        if any(step.takes != SENTENCE for step in self._chain.steps[first:]):
            return {}
        made = {}
        for name, vectors in pooled.items():
            taken = vectors
            for count, step in enumerate(self._chain.steps[first:], start=1):
                if step.input_dimension not in (None, taken.shape[-1]):
                    break
                taken = _apply(step, self._weights.get(first + count - 1, {}), taken)
                if step.has_weights:
                    made[name, count] = taken
        return made


def _output(step: Module, inputs: PoolingInputs) -> Any:
    name, *index = step.output
    value = getattr(inputs, str(name))
    return value[index[0]] if index else value


def _apply(step: Module, stored: Mapping[str, torch.Tensor], vectors: torch.Tensor) -> torch.Tensor:
    if step.name == "Normalize":
        return functional.normalize(vectors, p=2, dim=-1)
    if step.name == "Dropout":
        return vectors
    weights = {name: tensor.to(dtype=vectors.dtype) for name, tensor in stored.items()}
    try:
        if step.name == "LayerNorm":
            return functional.layer_norm(vectors, (vectors.shape[-1],), weights["norm.weight"], weights["norm.bias"])
        linear = functional.linear(vectors, weights["linear.weight"], weights.get("linear.bias"))
        with warnings.catch_warnings():  # Softmax warns that it had to choose an axis, as it does for encode().
            warnings.simplefilter("ignore")
            given: torch.Tensor = _activation(step)(linear)
        if not step.residual:
            return given
        residual = weights.get("residual.weight")
        return given + (vectors if residual is None else functional.linear(vectors, residual))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:  # Softmax2d takes no rows of numbers.
        if is_device_failure(error):
            raise
        raise _invalid(step, f"do not fit: {one_line(error)}") from error


def _activation(step: Module) -> Any:
    """The activation of a Dense step: a class of torch.nn alone, for any other name may lead to code."""
    module, _, name = step.activation.rpartition(".")
    if module not in ("torch.nn.modules.activation", "torch.nn.modules.linear", "torch.nn"):
        raise _invalid(step, f"name an activation that is not in torch.nn.modules.activation: {step.activation}")
    found = getattr(torch.nn.modules.activation, name, None) if name != "Identity" else torch.nn.Identity
    if not isinstance(found, type) or not issubclass(found, torch.nn.Module):
        raise _invalid(step, f"name an activation that torch lacks: {step.activation}")
    try:
        return found().eval()
    except TypeError as error:
        raise _invalid(step, f"name an activation that needs arguments: {step.activation}") from error


def _weights(step: Module, folder: Path | None) -> Mapping[str, torch.Tensor]:
    if folder is None:
        return _random(step)
    stored, expected = _stored(step, folder / step.path), step.weight_shapes
    for name in expected | dict.fromkeys(stored) if expected else ():
        held = tuple(stored[name].shape) if name in stored else None
        if held != expected.get(name):
            raise _invalid(
                step, f"do not fit: {name} has {held or 'no numbers'}, expected {expected.get(name) or 'none'}"
            )
    return stored


def _stored(step: Module, folder: Path) -> Mapping[str, torch.Tensor]:
    try:
        if (folder / "model.safetensors").exists():
            return load_file(folder / "model.safetensors")
        pickle = folder / "pytorch_model.bin"
        if not pickle.is_file():  # opening a pipe would wait forever
            raise _invalid(step, f"cannot be read: {pickle.name} is not a regular file")
        check_pickle(pickle)
        loaded: Mapping[str, torch.Tensor] = torch.load(pickle, map_location="cpu", weights_only=True)
        return loaded
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # safetensors and pickle have errors of their own, many of them
        if is_device_failure(error):
            raise
        raise _invalid(step, f"cannot be read: {one_line(error)}") from error


def _random(step: Module) -> dict[str, torch.Tensor]:
    """Seeded numbers for a step whose weights are not used."""
    generator = torch.Generator().manual_seed(_SEED)
    weights = {}
    for name, shape in step.weight_shapes.items():
        one = name == "norm.weight"
        weights[name] = (
            torch.empty(shape).normal_(0, 0.02, generator=generator)
            if len(shape) > 1
            else torch.full(shape, float(one))
        )
    return weights


def _invalid(step: Module, what: str) -> CheckpointError:
    return CheckpointError(
        f"the weights of the step {step.name} ({step.path}) {what}",
        hint="Restore the sentence-transformers folders from the original checkpoint.",
        code="step-invalid",
    )
