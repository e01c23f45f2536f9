"""A checkpoint in names and numbers: what expectations, snapshots and comparisons speak of. No text, no torch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bertshape.predict.limits import length_limits, resolve_dtype
from bertshape.predict.tensor_names import backbone_name
from bertshape.shapes import TensorShape
from bertshape.soundness.weights import pooler_verdict, stored_backbone

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

Scalar = int | str | None

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
)
"""Names of all scalars, in the order in which they are shown."""


def scalars(checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer | None) -> dict[str, Scalar]:
    """Everything about a checkpoint that is one number or one word, by the name that expectations use."""
    sentence = checkpoint.sentence_embedding
    limits = length_limits(checkpoint, architecture, tokenizer) if tokenizer else {}
    declared = checkpoint.config.get("architectures")
    return {
        "model_type": architecture.model_type,
        "architecture": str(declared[0]) if isinstance(declared, list) and declared else None,
        **asdict(architecture.dimensions),
        "max_length": limits.get("effective", architecture.usable_length),
        "tokenizer_size": tokenizer.vocabulary_size if tokenizer else None,
        "pooling": sentence.pooling if sentence else None,
        "embedding_dimension": sentence.dimension if sentence else None,
        "pooler": pooler_verdict(architecture, stored_backbone(checkpoint, architecture)),
        "dtype": resolve_dtype(checkpoint, "auto", stored=True) if checkpoint.has_weights else None,
        "parameters": architecture.parameters(),
    }


def stored_tensors(checkpoint: Checkpoint) -> dict[str, TensorShape]:
    """Shapes of all stored tensors, by the names of the weight files."""
    if checkpoint.headers is None:
        return {}
    return {
        name: TensorShape(tuple(f"axis_{axis}" for axis in range(len(tensor.shape))), tensor.shape, tensor.dtype)
        for name, tensor in checkpoint.headers.tensors.items()
    }


def named_tensors(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, TensorShape]:
    """Stored tensors by every name that a person may use: the file's own, and the base model's."""
    stored = stored_tensors(checkpoint)
    if architecture.family is None:
        return stored
    named = {backbone_name(name, architecture.family): shape for name, shape in stored.items()}
    return {name: shape for name, shape in named.items() if name is not None} | stored


def tokenizer_hash(checkpoint: Checkpoint, tokenizer: LoadedTokenizer) -> str:
    """Digest of the tokenizer's file."""
    # Not on top: it loads OpenSSL, and few commands ask for a digest.
    import hashlib

    content = (checkpoint.tokenizer_folder / tokenizer.file).read_bytes()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
