"""From tokens to the sentence embedding: the chain that a sentence-transformers checkpoint declares, as shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.recipe import SENTENCE, TOKENS
from bertshape.report.report import StepFacts
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.checkpoint.recipe import Module

EMBEDDING_DIMENSION = "embedding_dimension"
_KEEP = {"Normalize": "h / |h|", "Dropout": "h"}
TRUNCATE = "truncate_dim"
"""Name of the last step where the vector is cut, as `encode(truncate_dim=...)` does (Matryoshka embeddings)."""


def predict_embedding(
    steps: Sequence[Module],
    pooling: str | None,
    hidden: TensorShape | None,
    *,
    lacking: Sequence[str] = (),
    truncate_dim: int | None = None,
) -> tuple[StepFacts, ...]:
    """Shape of what each step gives; from the first step that cannot be followed on, none.

    Args:
        steps: The chain.
        pooling: Strategies of its Pooling step, such as `cls+mean`.
        hidden: Shape of the model's last_hidden_state; None where it gives none.
        lacking: Folders of the steps whose weights are not there.
        truncate_dim: Size that the final vector is cut to, where one is asked for.
    """
    features: dict[str, TensorShape] = {}
    facts: list[StepFacts] = []
    stopped = ""
    for step in steps:
        taken = TOKENS if step.name == "Pooling" else step.takes
        before = hidden if step.name == "Transformer" else features.get(taken)
        problem = stopped or _problem(step, before, lacking)
        if problem or before is None:
            facts.append(StepFacts(step.name, formula(step, pooling), None, problem))
            stopped = stopped or f"{step.name}, before it, cannot be followed"
            continue
        shape = _give(step, pooling, before)
        features[TOKENS if step.name == "Transformer" else step.gives] = shape
        facts.append(StepFacts(step.name, formula(step, pooling), shape))
    vector = features.get(SENTENCE)
    if truncate_dim is not None and vector is not None and not stopped:
        cut = (*vector.sizes[:-1], min(vector.sizes[-1], truncate_dim))
        axes = (*vector.axes[:-1], EMBEDDING_DIMENSION)
        facts.append(StepFacts(TRUNCATE, f"h[:{truncate_dim}]", TensorShape(axes, cut, vector.dtype)))
    return tuple(facts)


def formula(step: Module, pooling: str | None) -> str:
    """What a step does, in one line."""
    if step.name == "Transformer":
        return "last_hidden_state"
    if step.name == "Pooling":
        return pooling or "no pooling"
    if step.name == "LayerNorm":
        return "(h - mean(h)) / std(h) * w + b"
    if step.name != "Dense":
        return _KEEP.get(step.name, "not known")
    activation = step.activation.rpartition(".")[2]
    linear = "W h + b" if step.bias else "W h"
    applied = linear if activation == "Identity" else f"{activation}({linear})"
    return f"{applied} + h" if step.residual else applied


def _problem(step: Module, before: TensorShape | None, lacking: Sequence[str]) -> str | None:
    """Why a step cannot be followed."""
    if step.name not in ("Transformer", "Pooling", "Dense", "LayerNorm", *_KEEP):
        return f"bertshape does not follow the module {step.name}"
    if before is None:
        return "the model gives no last_hidden_state" if step.name == "Transformer" else f"nothing gives {step.takes}"
    if step.input_dimension not in (None, before.sizes[-1]):
        return f"it takes {step.input_dimension} numbers, and is given {before.sizes[-1]}"
    if step.path in lacking:
        return f"{step.path} holds no weights"
    if step.name in ("Dense", "LayerNorm") and step.output_dimension is None:
        return f"{step.path}/config.json does not say the size of what it gives"
    return None


def _give(step: Module, pooling: str | None, before: TensorShape) -> TensorShape:
    if step.name == "Pooling":
        parts = (pooling or "").count("+") + 1
        axis = HIDDEN_SIZE if parts == 1 else f"{parts}*{HIDDEN_SIZE}"
        batch_size, _, hidden_size = before.sizes
        return TensorShape((BATCH_SIZE, axis), (batch_size, parts * hidden_size), before.dtype)
    if step.name == "Dense" and step.output_dimension is not None:
        axes = (*before.axes[:-1], EMBEDDING_DIMENSION)
        return TensorShape(axes, (*before.sizes[:-1], step.output_dimension), before.dtype)
    return before


def token_shape(batch_size: int, sequence_length: int, hidden_size: int, dtype: str) -> TensorShape:
    """Shape of the vectors that the chain begins with."""
    axes = (BATCH_SIZE, SEQUENCE_LENGTH, HIDDEN_SIZE)
    return TensorShape(axes, (batch_size, sequence_length, hidden_size), dtype)
