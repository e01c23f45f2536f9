"""What a tokenizer gives the model beside the ids of a text: the mask, the segments, and the side that is padded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

_CONFIG = "tokenizer_config.json"


def input_findings(architecture: Architecture, tokenizer: LoadedTokenizer, pooling: str | None) -> Iterator[Finding]:
    """Settings with which the vector of a text depends on the texts beside it, or a pair of texts fails.

    Args:
        architecture: What config.json describes.
        tokenizer: The tokenizer.
        pooling: The strategy that the files declare.
    """
    family = architecture.family
    if family is None:
        return
    if "attention_mask" not in tokenizer.inputs and family.attentions:
        yield Finding(
            "attention-mask-not-made",
            "error",
            f"the tokenizer makes no attention_mask (model_input_names: {', '.join(tokenizer.inputs)}): in a batch the "
            "model attends to padding and pools it, so that the vector of a text depends on the longest text beside it",
            f"Add attention_mask to model_input_names in {_CONFIG}.",
            where=f"{_CONFIG} model_input_names",
            expected="attention_mask",
            actual=", ".join(tokenizer.inputs),
        )
    if tokenizer.pad_id is None:
        yield Finding(
            "padding-token-missing",
            "note" if family.group == "decoder" else "warning",
            f"the tokenizer ({tokenizer.file}) has no padding token: a batch of texts of several lengths fails",
            f'Name one in {_CONFIG}, such as "pad_token": "[PAD]"; for a decoder, its end token.',
            where=f"{_CONFIG} pad_token",
            expected="a token",
            actual="none",
        )
    if tokenizer.padding_side == "left":
        yield from _left(architecture, pooling)


def segment_findings(architecture: Architecture, tokenizer: LoadedTokenizer) -> Iterator[Finding]:
    """Segments that the tokenizer gives and the model has no row for; for a tokenizer that can encode."""
    types = architecture.dimensions.type_vocab_size
    if architecture.family is None or not architecture.family.token_type_ids or not types:
        return
    if "token_type_ids" not in tokenizer.inputs:
        return
    for what, pair in (("a text", None), ("the second text of a pair", "b")):
        largest = max(tokenizer.encode("a", pair).type_ids, default=0)
        if largest >= types:
            yield Finding(
                "segments-out-of-range",
                "warning" if pair else "error",
                f"the tokenizer ({tokenizer.class_name or tokenizer.file}) gives {what} the segment {largest} in "
                f"token_type_ids, and the model has {types} (type_vocab_size): it fails with an index out of range",
                f"Leave token_type_ids out of model_input_names in {_CONFIG}, or take the tokenizer class of the "
                "original checkpoint.",
                where=f"{_CONFIG} model_input_names",
                expected=f"segments below {types}",
                actual=str(largest),
            )
            return


def _has_positions(architecture: Architecture) -> bool:
    """Whether the model adds a stored vector for each position."""
    tensors = architecture.expected_tensors() or {}
    return any(str(architecture.symbols(name)[0]).startswith("max_position_embeddings") for name in tensors)


def _left(architecture: Architecture, pooling: str | None) -> Iterator[Finding]:
    """What padding before a text changes."""
    family = architecture.family
    if family is not None and family.length == "positions" and _has_positions(architecture):
        yield Finding(
            "padding-side-left",
            "warning",
            f"padding_side is left, and {architecture.model_type} counts positions from the first token of a row, "
            "padding included: the vector of a text depends on the longest text beside it",
            f'Set "padding_side": "right" in {_CONFIG}.',
            where=f"{_CONFIG} padding_side",
            expected="right",
            actual="left",
        )
    elif pooling == "cls":
        yield Finding(
            "padding-side-left",
            "note",
            "padding_side is left and the declared pooling is cls: sentence-transformers before 6, and code that takes "
            "the vector at position 0, take padding for the first token",
            f'Set "padding_side": "right" in {_CONFIG}.',
            where=f"{_CONFIG} padding_side",
            actual="left",
        )
