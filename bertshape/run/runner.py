"""A loaded model, and what comes out of its forward passes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
import transformers

from bertshape.pooling.inputs import PoolingInputs
from bertshape.run.behaviour import agreements, of_first_text
from bertshape.run.causal import is_causal
from bertshape.run.devices import choose_device, device_errors
from bertshape.run.embed import embed_windows
from bertshape.run.forward import forward, look, states
from bertshape.run.heads import observe_heads
from bertshape.run.layers import Seen, describe, watch
from bertshape.run.loading import find_classes, load
from bertshape.run.observation import Observation, Vectors
from bertshape.run.save import name_tensors, save
from bertshape.run.sentence_chain import Followed, LoadedChain
from bertshape.run.which import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bertshape.pooling.strategy import Strategy
    from bertshape.predict.architecture import Architecture
    from bertshape.run.agreement import Agreement
    from bertshape.run.recipes import Score, ScoreJob, Variant
    from bertshape.run.request import Chain, ForwardRequest, Plan, VectorJob, Window
    from bertshape.tokens.batch import Tokenization

_SEVERAL = 3


class Runner:
    """A loaded model, for any number of batches.

    Attributes:
        device: Where it runs.
        passed_over: Accelerators that `auto` found and could not use, each with the reason.
        loading: What transformers says it loaded.
    """

    def __init__(self, request: ForwardRequest, chain: Chain | None, phase: Callable[[str], None]) -> None:
        """Find the device, load the model and the weights of the steps after it.

        Args:
            request: What to load.
            chain: Steps after the model; None for none.
            phase: Called before something slow with what it is.

        Raises:
            CheckpointError: The weights cannot be loaded.
            DeviceError: The device is not there, or its memory is not enough.
        """
        self.device, self.passed_over = choose_device(request.device)
        phase(_loading(request))
        model_class, config_class = find_classes(request)
        self._request = request
        loaded = "random weights" if request.folder is None else f"the weights of {request.folder}"
        with device_errors(self.device, loaded):
            self._model, self.loading = load(request, model_class, config_class)
            self._model.eval().to(self.device)
            self._chain = None if chain is None else LoadedChain(chain, self.device)

    def is_causal(self) -> bool:
        """Whether a token sees itself and those before it alone, by two short runs."""
        return is_causal(self._model, self.device)

    def embed(self, windows: Iterable[Window], job: VectorJob) -> Vectors:
        """Run many texts, whatever their number, and write the vector of each.

        Args:
            windows: The texts, some at a time.
            job: Which vectors, and in batches of which size.

        Raises:
            CheckpointError: The model cannot take a batch, or a step of the chain has no proper weights.
            DeviceError: The device's memory is not enough.
        """
        return embed_windows(self._model, self._request.architecture, self.device, windows, job, self._chain)

    def score(self, variants: Sequence[Variant], job: ScoreJob) -> tuple[Score, ...]:
        """Compare given vectors with those of every candidate recipe; errors are those of `embed`.

        Args:
            variants: The texts, tokenized in several ways.
            job: The vectors, and the strategies.
        """
        return Scorer(self._model, self._request.architecture, self.device, job, self._chain).score(variants)

    @property
    def dtype(self) -> str:
        """Dtype of the parameters."""
        return str(next(self._model.parameters()).dtype).removeprefix("torch.")

    def agreement(self, alone: Tokenization, beside: Tokenization) -> tuple[Agreement, ...]:
        """Run the first text of two batches, and compare what comes out for it.

        Args:
            alone: A batch.
            beside: Another batch, whose first text is the same.

        Raises:
            CheckpointError: The model cannot take a batch.
            DeviceError: The device's memory is not enough.
        """
        found = []
        with device_errors(self.device), torch.inference_mode():
            for batch in (alone, beside):
                inputs = _inputs(self._request.architecture, batch, self.device)
                outputs = forward(self._model, inputs, attentions=False)
                given = _pooling_inputs(outputs, inputs["attention_mask"], batch)
                embedding = self._chain.run(given).embedding if self._chain else None
                found.append(of_first_text(outputs, given, embedding))
            return agreements(*found)

    def observe(self, tokenization: Tokenization, plan: Plan) -> Observation:
        """Run one forward pass on a batch and look at what comes out.

        Args:
            tokenization: The batch.
            plan: What to do with what comes out.

        Raises:
            CheckpointError: The model cannot take the batch, or a step of the chain has no proper weights.
            DeviceError: The device's memory is not enough.
            UsageError: No tensor has a name that is to be saved.
        """
        model = self._model
        with device_errors(self.device), torch.inference_mode():
            inputs = _inputs(self._request.architecture, tokenization, self.device)
            watching: AbstractContextManager[dict[str, Seen]] = watch(model) if plan.layers else nullcontext({})
            with watching as seen:
                outputs = forward(model, inputs, attentions=self._request.attentions)
            pooling_inputs = _pooling_inputs(outputs, inputs["attention_mask"], tokenization)
            pooled = {
                row.name: row.function(pooling_inputs)
                for row in _fitting(plan.strategies, outputs, self._request.architecture)
            }
            followed = self._chain.run(pooling_inputs, plan.prompt_length) if self._chain else Followed()
            heads, logits = observe_heads(plan.tasks, self._request, inputs)
            there = {name: value for name, value in outputs.items() if _is_there(value)}  # A cache is no tensor.
            if plan.saving is not None:
                save(plan.saving, name_tensors(inputs, there, pooled, followed, logits, saving=plan.saving))
            unmasked_error = _unmasked_error(pooled)
            collapsed = _is_collapsed(outputs.get("last_hidden_state"), inputs["input_ids"])
            size = tokenization.batch_size, tokenization.sequence_length
            return Observation(
                outputs={name: look(value, _kept(name, pooling_inputs, plan)) for name, value in there.items()},
                pooled={name: look(value, _kept(name, pooling_inputs, plan)) for name, value in pooled.items()},
                steps=tuple(map(look, followed.steps)),
                tasks=heads,
                layers=describe(model, seen, self._request.architecture, *size) if plan.layers else None,
                loading=self.loading,
                device=str(self.device),
                dtype=self.dtype,
                parameters=sum(parameter.numel() for parameter in model.parameters()),
                unmasked_error=unmasked_error,
                collapsed=collapsed,
                torch=torch.__version__,
                transformers=transformers.__version__,
            )


def _inputs(architecture: Architecture, tokenization: Tokenization, device: Any) -> dict[str, torch.Tensor]:
    """Tensors of shape (batch_size, sequence_length), int64."""
    fields = {"input_ids": "input_id", "attention_mask": "attention_mask"}
    if architecture.accepts_token_type_ids and "token_type_ids" in tokenization.inputs:
        fields["token_type_ids"] = "token_type_id"
    return {
        name: torch.tensor(
            [[getattr(token, field) for token in row.tokens] for row in tokenization.rows], dtype=torch.int64
        ).to(device)
        for name, field in fields.items()
    }


def _pooling_inputs(outputs: Any, attention_mask: Any, tokenization: Tokenization) -> PoolingInputs:
    special = [[int(token.special) for token in row.tokens] for row in tokenization.rows]
    words = [row.word_indices() for row in tokenization.rows]
    device = attention_mask.device
    return PoolingInputs(
        last_hidden_state=outputs.get("last_hidden_state"),
        attention_mask=attention_mask,
        special_tokens_mask=torch.tensor(special, device=device),
        word_index=torch.tensor(words, device=device),
        num_words=tokenization.num_words,
        hidden_states=states(outputs),
        pooler_output=outputs.get("pooler_output"),
    )


def _unmasked_error(pooled: Mapping[str, torch.Tensor]) -> float | None:
    if "mean" not in pooled or "mean_unmasked" not in pooled:
        return None
    return float((pooled["mean"].float() - pooled["mean_unmasked"].float()).abs().max())


def _fitting(strategies: Sequence[Strategy], outputs: Any, architecture: Architecture) -> list[Strategy]:
    """Strategies that these outputs allow: some models give no vector per token, or none in each layer."""
    last = outputs.get("last_hidden_state")
    if last is None:
        return [strategy for strategy in strategies if strategy.name == "pooler" and "pooler_output" in outputs]
    layers = architecture.layer_outputs + 1
    hidden_states = outputs.get("hidden_states") or ()
    even = len(hidden_states) == layers and all(layer.shape == last.shape for layer in hidden_states)
    return [strategy for strategy in strategies if even or not strategy.needs_hidden_states]


def _kept(name: str, inputs: PoolingInputs, plan: Plan) -> torch.Tensor | None:
    """Which positions count where numbers are described: neither padding nor words that a text lacks. None: no numbers.

    Shape: (batch_size, sequence_length), or (batch_size, num_words).
    """
    if not plan.statistics:
        return None
    if not name.startswith("words"):
        return inputs.attention_mask.bool()
    return torch.arange(inputs.num_words, device=inputs.word_index.device) <= inputs.word_index.amax(1, keepdim=True)


def _is_there(value: Any) -> bool:
    """Whether an output is a tensor or a tuple of tensors; optional ones may be None, empty or a tuple of None."""
    if isinstance(value, tuple):
        return bool(value) and all(hasattr(item, "shape") for item in value)
    return hasattr(value, "shape")


def _loading(request: ForwardRequest) -> str:
    if request.folder is None:
        return "making random weights"
    return f"loading {request.weight_bytes / 1e6:,.0f} MB" if request.weight_bytes else "loading the weights"


def _is_collapsed(hidden: Any, input_ids: torch.Tensor) -> bool:
    """Whether tokens of three or more ids have one vector, whatever is between them and the end of the model."""
    if hidden is None or hidden.shape[:2] != input_ids.shape or input_ids.unique().numel() < _SEVERAL:
        return False
    vectors = hidden.flatten(0, 1)
    return bool(torch.allclose(vectors, vectors[0].expand_as(vectors), rtol=1e-5, atol=0))
