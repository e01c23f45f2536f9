"""Task heads on the model: each is loaded, run once and forgotten, so that only one is in memory at a time."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bertshape.errors import CheckpointError
from bertshape.run.forward import forward, look
from bertshape.run.loading import find_classes, load
from bertshape.run.observation import ObservedHead

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import torch

    from bertshape.predict.heads import Head
    from bertshape.run.observation import Loading
    from bertshape.run.request import ForwardRequest

_NAMES = ("logits", "start_logits", "end_logits")


def observe_heads(
    heads: Iterable[Head], request: ForwardRequest, inputs: Mapping[str, torch.Tensor]
) -> tuple[dict[str, ObservedHead], dict[str, torch.Tensor]]:
    """Run each head on the batch.

    Args:
        heads: The heads.
        request: The model that they go on.
        inputs: Shape of each: (batch_size, sequence_length).

    Returns:
        What each gave, by task, and the tensors, by names such as `masked-lm.logits`.
    """
    observed: dict[str, ObservedHead] = {}
    tensors: dict[str, torch.Tensor] = {}
    for head in heads:
        # The texts are the choices of one question, which go in together.
        choices = head.task == "multiple-choice"
        given = {name: tensor.unsqueeze(0) for name, tensor in inputs.items()} if choices else inputs
        counts = 0, 0, 0
        try:
            model, loading = _load(head, request)
            counts = _count(model, head, loading)
            outputs = forward(model.eval().to(inputs["input_ids"].device), given, attentions=False)
        except CheckpointError as error:
            observed[head.task] = ObservedHead({}, *counts, failure=error.message)
            continue
        logits = {name: outputs[name] for name in _NAMES if outputs.get(name) is not None}
        observed[head.task] = ObservedHead({name: look(value) for name, value in logits.items()}, *counts)
        tensors |= {f"{head.task}.{name}": value for name, value in logits.items()}
    return observed, tensors


def _load(head: Head, request: ForwardRequest) -> tuple[Any, Loading]:
    base, config_class = find_classes(request)
    model_class = getattr(importlib.import_module(base.__module__), head.model_class)
    # Attention weights are not asked for here: the usual implementation of attention is the faster one.
    return load(replace(request, attentions=False), model_class, config_class)


def _count(model: Any, head: Head, loading: Loading) -> tuple[int, int, int]:
    """How many of a head's own parameters the weights did not fill, how many for their shape, and how many there are.

    A parameter that the head shares with the model, such as the word embeddings in a masked-lm head, is not its own.
    """
    misfits = {name for name, _ in loading.mismatched}
    unfilled = {*loading.missing, *misfits}
    names: dict[int, set[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), set()).add(name)
    own = [aliases for aliases in names.values() if all(map(head.owns, aliases))]
    return sum(bool(aliases & unfilled) for aliases in own), sum(bool(aliases & misfits) for aliases in own), len(own)
