"""From tokens to the sentence embedding: the chain that a sentence-transformers checkpoint declares, as shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.steps import SENTENCE, TOKENS
from bertshape.report.report import StepFacts
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.checkpoint.steps import Module
    from bertshape.predict.architecture import Architecture

EMBEDDING_DIMENSION = "embedding_dimension"
_KEEP = {"Normalize": "h / |h|", "Dropout": "h"}
TRUNCATE = "truncate_dim"
"""Name of the last step where the vector is cut, as `encode(truncate_dim=...)` does (Matryoshka embeddings)."""


def model_outputs(
    architecture: Architecture, batch_size: int, sequence_length: int, dtype: str
) -> dict[str, TensorShape]:
    """Shapes of the model's outputs that a chain can begin with; of hidden_states, that of each."""
    sizes = (batch_size, sequence_length, architecture.dimensions.hidden_size)
    hidden = TensorShape((BATCH_SIZE, SEQUENCE_LENGTH, HIDDEN_SIZE), sizes, dtype)
    outputs = {}
    if architecture.has_last_hidden_state:
        outputs["last_hidden_state"] = hidden
    if "hidden_states" not in architecture.observed_only:
        layers = architecture.layer_outputs + 1
        outputs |= {f"hidden_states[{index}]": hidden for index in range(-layers, layers)}
    if architecture.has_pooler:
        axes = (BATCH_SIZE, architecture.pooler_axis)
        outputs["pooler_output"] = TensorShape(axes, (batch_size, architecture.pooler_size), dtype)
    return outputs


def predict_embedding(
    steps: Sequence[Module],
    outputs: Mapping[str, TensorShape],
    *,
    lacking: Sequence[str] = (),
    truncate_dim: int | None = None,
) -> tuple[StepFacts, ...]:
    """Shape of what each step gives; from the first step that cannot be followed on, none.

    Args:
        steps: The chain.
        outputs: Shapes of what the model gives, as `model_outputs` has them.
        lacking: Folders of the steps whose weights are not there.
        truncate_dim: Size that the final vector is cut to, where one is asked for.

    Returns:
        A row for each step, and one more where the end of the chain is not what its last step gives.
    """
    features: dict[str, TensorShape] = {}
    facts: list[StepFacts] = []
    stopped = ""
    for step in steps:
        if step.name == "Normalize" and step.takes not in features and TOKENS in features and not stopped:
            # sentence-transformers passes over it without a word.
            facts.append(StepFacts(step.name, f"h (there is no {step.takes} yet)", features[TOKENS]))
            continue
        before = outputs.get(output_name(step)) if step.name == "Transformer" else features.get(step.takes)
        problem = stopped or _problem(step, before, lacking)
        if problem or before is None:
            facts.append(StepFacts(step.name, formula(step), None, problem))
            stopped = stopped or f"{step.name}, before it, cannot be followed"
            continue
        features[step.gives] = _give(step, before)
        facts.append(StepFacts(step.name, formula(step), features[step.gives]))
    return (*facts, *([] if stopped else _end(steps, features, truncate_dim)))


def formula(step: Module) -> str:
    """What a step does, in one line."""
    if step.name == "Transformer":
        return output_name(step)
    if step.name == "Pooling":
        return step.pooling if step.include_prompt else f"{step.pooling}, without the prompt"
    if step.name == "LayerNorm":
        return "(h - mean(h)) / std(h) * w + b"
    if step.name != "Dense":
        return _KEEP.get(step.name, "not known")
    activation = step.activation.rpartition(".")[2]
    linear = "W h + b" if step.bias else "W h"
    applied = linear if activation == "Identity" else f"{activation}({linear})"
    return f"{applied} + h" if step.residual else applied


def output_name(step: Module) -> str:
    """What a Transformer step takes of the model's outputs, such as `hidden_states[-2]`."""
    name, *index = step.output
    return f"{name}[{index[0]}]" if index else str(name)


def _end(
    steps: Sequence[Module], features: Mapping[str, TensorShape], truncate_dim: int | None
) -> tuple[StepFacts, ...]:
    """What `encode` returns, where the last step does not give it."""
    vector = features.get(SENTENCE)
    if vector is None:
        reason = f"no step gives {SENTENCE}, which encode returns"
        return (StepFacts(SENTENCE, "", None, reason),)
    if truncate_dim is not None:
        cut = (*vector.sizes[:-1], min(vector.sizes[-1], truncate_dim))
        axes = (*vector.axes[:-1], EMBEDDING_DIMENSION)
        return (StepFacts(TRUNCATE, f"h[:{truncate_dim}]", TensorShape(axes, cut, vector.dtype)),)
    if steps[-1].gives == SENTENCE:
        return ()
    return (StepFacts(SENTENCE, "of the last step that gives it", vector),)


def _problem(step: Module, before: TensorShape | None, lacking: Sequence[str]) -> str | None:
    """Why a step cannot be followed."""
    if step.problem is not None:
        return step.problem
    if before is None:
        lacks = f"the model gives no {output_name(step)}, or only a run shows it"
        return lacks if step.name == "Transformer" else f"nothing gives {step.takes}"
    if step.name == "Pooling" and len(before.sizes) != 3:
        return f"{step.takes} is one vector per text already"
    if step.input_dimension not in (None, before.sizes[-1]):
        return f"it takes {step.input_dimension} numbers, and is given {before.sizes[-1]}"
    if step.path in lacking:
        return f"{step.path} holds no weights"
    if step.has_weights and step.output_dimension is None:
        return f"{step.path}/config.json does not say the size of what it gives"
    return None


def _give(step: Module, before: TensorShape) -> TensorShape:
    if step.name == "Pooling":
        parts = step.pooling.count("+") + 1
        axis = before.axes[-1] if parts == 1 else f"{parts}*{before.axes[-1]}"
        batch_size, _, hidden_size = before.sizes
        return TensorShape((BATCH_SIZE, axis), (batch_size, parts * hidden_size), before.dtype)
    if step.name == "Dense" and step.given_size is not None:
        axes = (*before.axes[:-1], EMBEDDING_DIMENSION)
        return TensorShape(axes, (*before.sizes[:-1], step.given_size), before.dtype)
    return before
