"""What a checkpoint's files say of lengths and of the dtype, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

FLOATS = ("float32", "float16", "bfloat16", "float64")
"""Dtypes that a model may be loaded in."""


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


def bound_by(architecture: Architecture) -> str | None:
    """What bounds the length of a row in a few words, where it is not the number of positions."""
    usable, family = architecture.usable_length, architecture.family
    if usable is None or family is None:
        return None
    if architecture.exact_length == usable:
        return f"rows of exactly {usable} without padding, which its landmarks divide"
    return next((f"{key} {usable}" for key in family.length_bounds if architecture.number(key) == usable), None)


def limits_phrase(limits: Mapping[str, int | None]) -> str:
    """Every limit in one line: `at most 512 tokens; encode() cuts at 256, tokenizer.json at 128`.

    Args:
        limits: Limits by the place of their declaration, and `effective`, how many tokens run.
    """
    effective = limits["effective"]
    most = f"at most {counted(effective, 'token')}" if effective is not None else "no hard limit on tokens"
    cuts, says = [], []
    for where, limit in limits.items():
        if where == "effective" or limit is None or limit == effective:
            continue
        file = where.split()[0]
        if where == "sentence_bert_config.json max_seq_length":
            cuts.append(("encode()", limit))
        elif where.endswith("truncation.max_length"):
            cuts.append((file, limit))
        else:
            says.append(f"{where} is {limit}")
    named = [f"{who} {'cuts at' if index == 0 else 'at'} {limit}" for index, (who, limit) in enumerate(cuts)]
    return "; ".join([most, *([", ".join([*named, *says])] if named or says else [])])


def resolve_dtype(checkpoint: Checkpoint, requested: str, *, stored: bool) -> str:
    """Name of the dtype that the parameters have in a run.

    Args:
        checkpoint: The checkpoint.
        requested: A dtype by name, or `auto` for the one that `AutoModel.from_pretrained` of transformers 5 gives:
            what config.json says, else that of the first floating tensor in the first file, by name.
        stored: Whether the stored weights are used; random ones are float32 unless asked otherwise.
    """
    if requested != "auto":
        return requested
    if not stored:
        return "float32"
    declared = declared_dtype(checkpoint.config)
    if declared is not None:
        return declared
    headers = checkpoint.headers
    if headers is None:
        return "float32"  # Pickles: only loading them shows it.
    first = sorted(headers.files)[0]
    names = sorted(name for name, tensor in headers.tensors.items() if tensor.file == first)
    return next((headers.tensors[name].dtype for name in names if headers.tensors[name].dtype in FLOATS), "float32")


def declared_dtype(config: Mapping[str, object]) -> str | None:
    """Dtype that a config.json names, by `dtype` or by its older name `torch_dtype`; None where neither names one."""
    named = config.get("dtype") or config.get("torch_dtype")
    name = named.removeprefix("torch.") if isinstance(named, str) else None
    return name if name in FLOATS else None
