"""At how many tokens texts are cut, and what cannot run at all: decided in one place for every command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError, UsageError
from bertshape.predict.limits import bound_by
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.request import LengthOptions


@dataclass(frozen=True)
class Lengths:
    """What the options mean for a model.

    Attributes:
        cut_to: Length that longer rows are cut to; None cuts none.
        pad_to: Length that rows are padded to with `--padding max_length`; None elsewhere.
        usable: Tokens that the model takes at most; None where it has no limit.
    """

    cut_to: int | None
    pad_to: int | None
    usable: int | None


def settle_lengths(options: LengthOptions, model: Model, *, as_encode: bool = False) -> Lengths:
    """Whether rows are cut, and the length that they are cut or padded to.

    Args:
        options: What was asked for.
        model: The model.
        as_encode: Cut where `encode` of sentence-transformers does, unless asked otherwise.

    Raises:
        UsageError: No length is known, and one is needed.
    """
    wanted, truncation = options.max_length, options.truncation
    if as_encode and wanted is None and truncation is not False:
        wanted = encode_limit(model)
        truncation = wanted is not None
    elif truncation is None:
        truncation = wanted is not None
    if wanted is None and (truncation or options.padding == "max_length"):
        wanted = model.limits["effective"]
        if wanted is None:
            raise UsageError(
                "the checkpoint declares no length limit to cut or pad to",
                hint="Pass --max-length N.",
                code="max-length-needed",
            )
    pad_to = wanted if options.padding == "max_length" else None
    return Lengths(wanted if truncation else None, pad_to, model.architecture.usable_length)


def encode_limit(model: Model) -> int | None:
    """Tokens at which `encode` cuts a text; None where it cuts at none.

    It is the limit of sentence-transformers' own files, else the tokenizer's, but no more than max_position_embeddings;
    nothing there counts what families lose that number positions after the padding id, so a text of that length may
    still be too long to run.
    """
    checkpoint, step = model.checkpoint, model.recipe.transformer
    if not step.truncation:
        return None
    if model.recipe.max_seq_length is not None or "model_max_length" in step.tokenizer_settings:
        return model.recipe.max_seq_length
    declared = checkpoint.declared_lengths().get("tokenizer_config.json model_max_length")
    limits = (declared, model.architecture.dimensions.max_position_embeddings)
    return min((limit for limit in limits if limit is not None), default=None)


def check_length(length: int, where: str, model: Model, hint: str = "") -> None:
    """Say before any run what would crash in it with a bare size error.

    Args:
        length: Tokens of a row.
        where: The text, as the message names it.
        model: The model.
        hint: The next step, where it is not to cut.

    Raises:
        UsageError: A row is longer than the positions of the checkpoint.
    """
    usable = model.architecture.usable_length
    if usable is None or length <= usable:
        return
    raise UsageError(
        f"{where} gives {counted(length, 'token')}; {model.checkpoint.name} takes at most {usable} "
        f"({_positions_rule(model)})",
        hint=hint or f"Pass a shorter text; inspect and embed cut it to {usable}: --truncation, or --max-length N.",
        code="text-too-long",
    )


def check_exact(length: int, where: str, model: Model) -> None:
    """Refuse a row of another length than the only one that the model takes, padding not counted.

    Args:
        length: Tokens of a row.
        where: The text, as the message names it.
        model: The model.

    Raises:
        UsageError: It is not that length.
    """
    exact = model.architecture.exact_length
    if exact is not None and length != exact:
        raise UsageError(
            f"{where} has {counted(length, 'token')}; {model.checkpoint.name} takes {bound_by(model.architecture)}",
            hint="Set segment_means_seq_len to num_landmarks in config.json: attention goes to every token then.",
            code="length-not-exact",
        )


def check_ids(largest: int, model: Model) -> None:
    """Say before any run what would crash in it with a bare index error.

    Args:
        largest: Largest token id of the texts.
        model: The model.

    Raises:
        CheckpointError: It has no row in the embedding.
    """
    rows = model.architecture.dimensions.vocab_size
    if rows is None or largest < rows:
        return
    raise CheckpointError(
        f"the tokenizer gives id {largest}, and {model.checkpoint.config_path} says "
        f"{model.architecture.config_key('vocab_size')} {rows}: ids must be below it",
        hint="Use the tokenizer that belongs to these weights.",
        code="token-id-out-of-range",
    )


def _positions_rule(model: Model) -> str:
    architecture = model.architecture
    positions, key = architecture.dimensions.max_position_embeddings, architecture.config_key("max_position_embeddings")
    less = "" if positions == architecture.usable_length else ", less pad_token_id + 1"
    if architecture.family is not None and architecture.family.padding_index is not None:
        less = f", less {architecture.padding_index + 1}"
    return bound_by(architecture) or f"{key} {positions}{less}"
