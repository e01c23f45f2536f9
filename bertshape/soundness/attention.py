"""What config.json makes of attention: who sees whom, and what transformers refuses to build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.predict.architecture import Architecture
    from bertshape.predict.family import Conditional

_BUILT_IN = ("eager", "sdpa", "flex_attention")
"""What transformers needs nothing for but torch."""


def attention_findings(architecture: Architecture, config_path: str, pooling: str | None = None) -> Iterator[Finding]:
    """A decoder's attention in what is used as an encoder, and settings that contradict each other.

    Args:
        architecture: What config.json describes.
        config_path: Its name in messages.
        pooling: The strategy that the files declare.
    """
    family = architecture.family
    if family is None:
        return
    asked = next((key for key in ("attn_implementation", "_attn_implementation") if architecture.values.get(key)), None)
    if asked and str(architecture.values[asked]) not in _BUILT_IN:
        named = str(architecture.values[asked])[:50]
        yield Finding(
            "attention-implementation",
            "warning",
            f"{asked} is {named} in {config_path}: transformers loads the model only where the package for it is "
            "installed, on a device that it supports",
            f"Remove {asked} from config.json, and ask for it in code: from_pretrained(..., attn_implementation=...).",
            where=f"config.json {asked}",
            expected=", ".join(_BUILT_IN),
            actual=named,
        )
    if architecture.is_causal and family.group != "encoder":
        yield Finding(
            "attention-causal",
            "warning" if pooling == "cls" else "note",
            f"attention of {architecture.model_type} is causal: a token sees itself and those before it alone; the "
            "first vector (cls) sees one token, the last sees all",
            "Use the pooling that the model was trained with, mostly the last token: embed --pooling lasttoken."
            if pooling == "cls"
            else "",
            where="config.json model_type",
        )
    elif architecture.is_causal:
        key = family.causal_when[0].split(" ")[0]
        yield Finding(
            "attention-causal",
            "warning",
            f"{key} is {str(architecture.values[key]).lower()} in {config_path}: attention is causal, "
            "a token sees itself and those before it alone; the first vector (cls, pooler) sees one token",
            f"Remove {key} from config.json of an encoder; of a decoder use the last token: embed --pooling lasttoken.",
            where=f"config.json {key}",
        )
    yield from _contradictions(architecture, config_path)


def _contradictions(architecture: Architecture, config_path: str) -> Iterator[Finding]:
    values = architecture.values
    crossing = any(
        "is_decoder" in row.when and "add_cross_attention" in row.when for row in _conditionals(architecture)
    )
    if crossing and values.get("add_cross_attention") and not values.get("is_decoder"):
        yield Finding(
            "cross-attention-without-decoder",
            "error",
            f"{config_path} has add_cross_attention without is_decoder: transformers builds no such model",
            "Remove add_cross_attention from config.json, or set is_decoder.",
            where="config.json add_cross_attention",
        )
    if architecture.model_type == "xlnet":
        size, heads, own = map(architecture.number, ("hidden_size", "num_attention_heads", "d_head"))
        if heads and own != size // heads:
            yield Finding(
                "head-size-contradicts",
                "error",
                f"d_head is {own} in {config_path}, and transformers builds no XLNet unless it is d_model // n_head, "
                f"{size // heads}",
                "Restore d_head, d_model and n_head from the original checkpoint.",
                where="config.json d_head",
                expected=size // heads,
                actual=own,
            )


def _conditionals(architecture: Architecture) -> Iterator[Conditional]:
    yield from architecture.family.conditionals if architecture.family else ()
