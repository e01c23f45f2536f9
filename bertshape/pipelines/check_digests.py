"""What a contract holds as a digest: the tokenizer's file, and the stored numbers part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.value_digests import part_digests, tensor_digests
from bertshape.pipelines.digests import tokenizer_hash
from bertshape.report.check import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.stored_values import Read
    from bertshape.pipelines.check_request import CheckRequest
    from bertshape.pipelines.model import Model


def digest_outcomes(request: CheckRequest, model: Model, read: Read) -> Iterator[Outcome]:
    """Compare with the digests of the contract.

    Args:
        request: What is to be checked.
        model: The checkpoint, read.
        read: Takes how far the reading of values is.

    Raises:
        CheckpointError: The stored numbers cannot be read.
    """
    if request.tokenizer is not None:
        actual = tokenizer_hash(model)
        differs = f"tokenizer: expected {request.tokenizer[:19]}..., got {actual[:19]}... ({model.tokenizer.file})"
        yield Outcome("tokenizer", () if actual == request.tokenizer else (differs,))
    if request.values and request.digests:
        yield _values_outcome(request, model, read)


def _values_outcome(request: CheckRequest, model: Model, read: Read) -> Outcome:
    """The stored numbers against those of the contract, part by part."""
    now, wanted = part_digests(tensor_digests(model.checkpoint, read)), request.digests
    parts = [part for part in dict.fromkeys((*wanted, *now)) if now.get(part) != wanted.get(part)]
    problems = (f"values of {part}: expected {_short(wanted.get(part))}, got {_short(now.get(part))}" for part in parts)
    return Outcome(f"values of {len(wanted)} parts of the model", tuple(problems))


def _short(digest: str | None) -> str:
    return "nothing" if digest is None else f"{digest[:19]}..."
