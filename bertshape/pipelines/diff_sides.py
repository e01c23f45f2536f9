"""One side of a comparison: what a checkpoint is, or what a contract says of one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.checkpoint.stored_values import unwatched
from bertshape.checkpoint.value_digests import tensor_digests
from bertshape.contract.expectations import NOTHING, PROMPT_PREFIX
from bertshape.contract.folded_names import unfold_name
from bertshape.contract.read import read_contract
from bertshape.errors import UsageError
from bertshape.pipelines import facts
from bertshape.pipelines.digests import tokenizer_hash
from bertshape.pipelines.model import open_model
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.stored_names import loaded_names
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.stored_values import Read
    from bertshape.report.check import Scalar
    from bertshape.report.finding import Finding


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        name: As the person wrote it.
        scalars: Names and numbers.
        tensors: Shape of each stored tensor, as text.
        vocabulary: Ids by token; None for a contract, which keeps a digest alone.
        tokenizer: Digest of the tokenizer's file.
        values: Digests of the stored numbers by tensor, or of a contract by part of the model; None where unread.
        loaded: The name under which transformers looks for each tensor.
        is_contract: Whether it is a contract, which says only some of what is to be known.
        findings: What is known of a checkpoint whatever its texts, as `check` says it.
    """

    name: str
    scalars: Mapping[str, Scalar]
    tensors: Mapping[str, str]
    vocabulary: Mapping[str, int] | None
    tokenizer: str | None
    values: Mapping[str, str] | None = None
    loaded: Mapping[str, str] = field(default_factory=dict)
    is_contract: bool = False
    findings: tuple[Finding, ...] = ()


def read_side(name: str, *, offline: bool = False, values: bool = False, read: Read = unwatched) -> Side:
    """Read one side: a contract file where the name ends in .toml, a checkpoint otherwise.

    Args:
        name: Folder, Hub id, embedded name or contract file.
        offline: Use the Hub's cache alone.
        values: Read the stored numbers too.
        read: Takes how far that is.

    Raises:
        BertshapeError: It cannot be read.
    """
    if name.endswith(".toml"):
        return _contract_side(name, values=values)
    model = open_model(source_of(name, offline))
    stored = facts.stored_tensors(model)
    return Side(
        name=name,
        scalars=facts.all_scalars(model),
        tensors={tensor: shape.by_size for tensor, shape in stored.items()},
        vocabulary=model.tokenizer.backend.get_vocab(with_added_tokens=True),
        tokenizer=tokenizer_hash(model),
        values=tensor_digests(model.checkpoint, read) if values else None,
        loaded=loaded_names(model, stored),
        findings=model.verdict.findings,
    )


def source_of(name: str, offline: bool) -> ModelSource:
    """A Hub id and its revision, from `NAME@REVISION`; what exists here has none."""
    repository, at, revision = name.rpartition("@")
    if not at or not repository or not revision or os.path.lexists(name) or name.startswith((".", "/", "~")):
        return ModelSource(name, None, offline)
    return ModelSource(repository, revision, offline)


def _contract_side(name: str, *, values: bool) -> Side:
    contracts = read_contract(Path(name))
    if len(contracts) != 1:
        raise UsageError(
            f"{name} describes {counted(len(contracts), 'checkpoint')}, expected one to compare with",
            hint="Write a contract of one checkpoint: bertshape snapshot CHECKPOINT -o FILE.",
            code="contract-not-one",
        )
    contract = contracts[0]
    if values and not contract.values:
        raise UsageError(
            f"{name} holds no digests of values to compare with",
            hint=f"Write them down: bertshape snapshot {contract.model} --values -o {name} --update.",
            code="contract-without-values",
        )
    scalars: dict[str, Scalar] = {
        item.name: None if item.value == NOTHING and not item.name.startswith(PROMPT_PREFIX) else item.value
        for item in contract.expect
        if item.operator == "=" and facts.is_scalar(item.name) and isinstance(item.value, int | str)
    }
    tensors = {own: str(pattern) for folded, pattern in contract.tensors.items() for own in unfold_name(folded)}
    digests = contract.values if values else None
    loaded = {tensor: tensor for tensor in tensors}
    return Side(name, scalars, tensors, None, contract.tokenizer, digests, loaded, is_contract=True)
