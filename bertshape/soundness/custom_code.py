"""Code that comes with a checkpoint, and keys of config.json that say that its model is not the stock one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

_TELLING = re.compile(
    r"alibi\w*|rotary\w*|rope\w*|position_embedding_type|feed_forward_type|use_flash_attn|use_memory_efficient_attention"
    r"|pack_qkv|unpad_inputs|layer_norm_type|emb_pooler|prenorm|mlp_fc1_bias|qkv_proj_bias|lora_adaptations|logn_attention\w*"
)
"""Keys by which models with code of their own (MosaicBERT, jina-bert, gte's `new`, nomic-bert) say how they differ."""
_STOCK = {"position_embedding_type": ("absolute",)}
"""Values that say what the stock classes do anyway."""


def custom_code_findings(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Finding]:
    """Say of which class the shapes and numbers are, where the checkpoint asks for another one.

    Args:
        checkpoint: For config.json and tokenizer_config.json.
        architecture: What transformers' own class makes of config.json.
    """
    unread = _unread_keys(checkpoint, architecture)
    named = ", ".join(f"{key} {checkpoint.config[key]!r}" for key in unread)
    family = architecture.family
    stock = f"the stock class {family.model_class}" if family else "a plain encoder of the sizes in config.json"
    code = _code_of(checkpoint.config)
    if code is not None:
        differs = f", which knows nothing of its {named}" if named else ""
        yield Finding(
            "custom-code",
            "warning",
            f"auto_map: {checkpoint.config_path} asks for code of its own, {code}, which bertshape never runs; "
            f"the shapes and numbers here are those of {stock}{differs}",
            "Run that code, if you trust its author, with AutoModel.from_pretrained(..., trust_remote_code=True), and "
            "compare.",
            where="config.json auto_map",
            expected="none",
            actual=code,
        )
    elif unread and family:
        yield Finding(
            "config-keys-unread",
            "warning",
            f"{unread[0]}: {checkpoint.config_path} says {named}, which {family.model_class} of transformers does not "
            "read: the numbers are those of a model without it",
            "Use the code that these weights were trained with.",
            where=f"config.json {unread[0]}",
            actual=named,
        )
    tokenizer_code = _code_of(checkpoint.tokenizer_config)
    if tokenizer_code is not None:
        yield Finding(
            "custom-code",
            "warning",
            f"auto_map: tokenizer_config.json asks for code of its own, {tokenizer_code}, which bertshape never runs; "
            "the tokens here are those of transformers' own classes",
            "Compare with AutoTokenizer.from_pretrained(..., trust_remote_code=True), if you trust its author.",
            where="tokenizer_config.json auto_map",
            expected="none",
            actual=tokenizer_code,
        )


def _code_of(config: object) -> str | None:
    """The class that `auto_map` names, the base model's first; None without one."""
    named = config.get("auto_map") if hasattr(config, "get") else None
    if not isinstance(named, dict) or not named:
        return None
    value = named.get("AutoModel", next(iter(named.values())))
    parts = [part for part in value if part] if isinstance(value, list) else [value]
    return str(parts[0])[:100] if parts else None


def _unread_keys(checkpoint: Checkpoint, architecture: Architecture) -> list[str]:
    """Keys that mean something to a model, and nothing to the family's own class."""
    family = architecture.family
    read = {*family.defaults, *family.forward} if family else set()
    return [
        key
        for key, value in checkpoint.config.items()
        if key not in read and _TELLING.fullmatch(key) and value not in (None, False, *_STOCK.get(key, ()))
    ]
