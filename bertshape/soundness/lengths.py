"""How long a text may be: what the positions allow against what the small files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.predict.limits import bound_by, limits_phrase
from bertshape.report.finding import Finding
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer


def length_findings(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer | None
) -> Iterator[Finding]:
    """Declared limits that the positions do not have room for, and limits that differ among themselves."""
    limits = checkpoint.declared_lengths()
    if tokenizer is not None and tokenizer.file_max_length is not None:
        limits[f"{tokenizer.file} truncation.max_length"] = tokenizer.file_max_length
    usable = architecture.usable_length
    for where, limit in limits.items():
        if usable is not None and limit > usable:
            file, _, key = where.partition(" ")
            yield Finding(
                "length-exceeds-positions",
                "warning",
                f"{where} is {limit}, at most {counted(usable, 'token')} run ({_rule(architecture)}): "
                "a text cut to this limit would still crash",
                f"Set {key} to {usable} in {file}.",
                where=where,
                expected=f"at most {usable}",
                actual=limit,
            )
    positions = architecture.dimensions.max_position_embeddings
    # Where no file says a limit, encode cuts at the number of positions, of which these families leave some unused.
    if tokenizer is not None and not limits and usable is not None and positions is not None and usable < positions:
        yield Finding(
            "length-exceeds-positions",
            "warning" if checkpoint.recipe.has_chain else "note",
            f"no file says a limit, so that encode() cuts at {positions} tokens, and at most {usable} run "
            f"({_rule(architecture)}): a longer text crashes",
            f"Set model_max_length to {usable} in tokenizer_config.json.",
            where="tokenizer_config.json model_max_length",
            expected=f"at most {usable}",
            actual="none",
        )
    fitting = {where: limit for where, limit in limits.items() if usable is None or limit <= usable}
    if len({*fitting.values(), *([usable] if usable is not None else [])}) > 1:
        named = ", ".join(f"{where} = {limit}" for where, limit in fitting.items())
        message = limits_phrase({"effective": usable, **fitting})
        yield Finding("length-limits-disagree", "note", message, where=next(iter(fitting)), actual=named)


def _rule(architecture: Architecture) -> str:
    positions = architecture.dimensions.max_position_embeddings
    named = f"config.json {architecture.config_key('max_position_embeddings')} = {positions}"
    if architecture.family is None or architecture.family.length == "positions":
        return named
    if (other := bound_by(architecture)) is not None:
        return other
    pad = architecture.padding_index
    counted = "pad_token_id" if architecture.family.padding_index is None else f"its padding index {pad}"
    return f"{named}, and {architecture.model_type} counts from {counted} + 1: {positions} - {pad} - 1"
