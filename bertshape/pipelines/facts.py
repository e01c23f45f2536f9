"""A checkpoint in names and numbers, for expectations, snapshots and comparisons. No text, no torch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bertshape.contract.expectations import CONFIG_PREFIX, LABEL_PREFIX
from bertshape.errors import CheckpointError
from bertshape.pipelines.vector_facts import as_scalar, facts_of, is_vector_fact
from bertshape.predict.heads import declared_task
from bertshape.predict.labels import LABELLED, task_labels
from bertshape.predict.limits import resolve_dtype
from bertshape.predict.tensor_names import backbone_name
from bertshape.shapes import TensorShape
from bertshape.soundness.weights import pooler_verdict, stored_backbone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.pipelines.model import Model
    from bertshape.predict.architecture import Architecture
    from bertshape.report.check import Scalar

SCALAR_NAMES = (
    "model_type",
    "architecture",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
    "embedding_size",
    "max_length",
    "tokenizer_size",
    "pooling",
    "embedding_dimension",
    "pooler",
    "dtype",
    "parameters",
    "num_labels",
)
"""Names of the scalars that every checkpoint has, in the order in which they are shown."""


def scalars(model: Model) -> dict[str, Scalar]:
    """What every checkpoint has that is one number or one word, by the name that expectations use."""
    known = without_tokenizer(model.checkpoint, model.architecture)
    known |= {"max_length": model.limits["effective"], "tokenizer_size": model.tokenizer.vocabulary_size}
    return {name: known[name] for name in SCALAR_NAMES} | known


def without_tokenizer(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, Scalar]:
    """Those of them that are known where the tokenizer cannot be read.

    Args:
        checkpoint: The checkpoint.
        architecture: What its config.json describes.
    """
    declared, recipe = checkpoint.config.get("architectures"), checkpoint.recipe
    return {
        "model_type": architecture.model_type,
        "architecture": str(declared[0]) if isinstance(declared, list) and declared else None,
        **asdict(architecture.dimensions),
        "pooling": recipe.pooling,
        "embedding_dimension": recipe.embedding_dimension,
        "pooler": pooler_verdict(architecture, stored_backbone(checkpoint, architecture)),
        "dtype": resolve_dtype(checkpoint, "auto", stored=True) if checkpoint.has_weights else None,
        "parameters": architecture.parameters(),
        **_labels(checkpoint, architecture),
    }


def _labels(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, Scalar]:
    """The labels of a fine-tuned classifier, as `num_labels` and `id2label.0` and so on."""
    task = declared_task(architecture.model_type, checkpoint.config.get("architectures"))
    try:
        labels = task_labels(task, checkpoint.config) if task in LABELLED else ()
    except CheckpointError:
        labels = ()  # The verdict says what is wrong with them.
    named: dict[str, Scalar] = {f"{LABEL_PREFIX}{index}": label for index, label in enumerate(labels)}
    return {"num_labels": len(labels) or None} | named


def all_scalars(model: Model) -> dict[str, Scalar]:
    """Everything that expectations may speak of as one number or one word."""
    return scalars(model) | facts_of(model)


def with_config(model: Model, names: Iterable[str]) -> dict[str, Scalar]:
    """All scalars, and of these names those that the checkpoint might have: other keys of config.json, steps, prompts.

    Args:
        model: The checkpoint.
        names: Names that somebody speaks of.
    """
    known, config = all_scalars(model), model.checkpoint.config
    more = {name: as_scalar(config.get(name.removeprefix(CONFIG_PREFIX))) for name in names if is_vector_fact(name)}
    return more | known


def is_scalar(name: str) -> bool:
    """Whether a name is that of one number or one word, whatever the checkpoint."""
    return name in SCALAR_NAMES or is_vector_fact(name) or name.startswith(LABEL_PREFIX)


def stored_tensors(model: Model) -> dict[str, TensorShape]:
    """Shapes of all stored tensors, by the names of the weight files."""
    headers = model.checkpoint.headers
    if headers is None:
        return {}
    return {
        name: TensorShape(tuple(f"axis_{axis}" for axis in range(len(tensor.shape))), tensor.shape, tensor.dtype)
        for name, tensor in headers.tensors.items()
    }


def named_tensors(model: Model) -> dict[str, TensorShape]:
    """Stored tensors by every name that a person may use: the file's own, and the base model's."""
    stored, family = stored_tensors(model), model.architecture.family
    if family is None:
        return stored
    named = {backbone_name(name, family): shape for name, shape in stored.items()}
    return {name: shape for name, shape in named.items() if name is not None} | stored
