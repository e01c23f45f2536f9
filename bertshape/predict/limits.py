"""What a checkpoint's files say of lengths and of the dtype, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

_FLOATS = ("float32", "float16", "bfloat16", "float64")


def length_limits(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer
) -> dict[str, int | None]:
    """Every declared limit on the number of tokens, by the place of its declaration, and the effective one.

    `effective` is what `--truncation` cuts to: what the positions allow (families that number positions after the
    padding id lose pad_token_id + 1 of them), or the tokenizer's model_max_length where that is less.
    """
    limits: dict[str, int | None] = {}
    positions = architecture.dimensions.max_position_embeddings
    if positions is not None:
        limits[f"config.json {architecture.config_key('max_position_embeddings')}"] = positions
    limits |= checkpoint.declared_lengths()
    if tokenizer.file_max_length is not None:
        limits[f"{tokenizer.file} truncation.max_length"] = tokenizer.file_max_length
    bounds = (architecture.usable_length, limits.get("tokenizer_config.json model_max_length"))
    limits["effective"] = min((bound for bound in bounds if bound is not None), default=None)
    return limits


def resolve_dtype(checkpoint: Checkpoint, requested: str, *, stored: bool) -> str:
    """Name of the dtype that the parameters have in a run.

    Args:
        checkpoint: The checkpoint.
        requested: A dtype by name, or `auto` for the one that is stored.
        stored: Whether the stored weights are used; random ones are float32 unless asked otherwise.
    """
    if requested != "auto":
        return requested
    if not stored:
        return "float32"
    if checkpoint.headers is not None:
        elements = dict.fromkeys(_FLOATS, 0)
        for tensor in checkpoint.headers.tensors.values():
            if tensor.dtype in elements:
                elements[tensor.dtype] += tensor.elements
        return max(elements, key=lambda name: elements[name])
    declared = checkpoint.config.get("dtype", checkpoint.config.get("torch_dtype"))
    return declared if isinstance(declared, str) and declared in _FLOATS else "float32"
