"""What a contract file says, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.contract.expectations import Expectation
    from bertshape.contract.shape_pattern import ShapePattern

CASE_KEYS = ("text", "pair", "input_ids")
"""Keys of a case that are no names of shapes."""

CHECKPOINT_KEYS = ("model", "revision", "tokenizer", "expect", "tensors", "case")
"""Keys of a checkpoint, in the order in which they are written."""


@dataclass(frozen=True)
class ContractCase:
    """One text, and what must come out for it.

    Attributes:
        text: The text.
        pair: Second text of the sequence.
        input_ids: Token ids, special tokens included.
        shapes: Expected shapes by name: `last_hidden_state`, `pooled.mean`.
    """

    text: str
    pair: str | None = None
    input_ids: tuple[int, ...] | None = None
    shapes: Mapping[str, ShapePattern] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointContract:
    """One checkpoint, and what must hold for it.

    Attributes:
        model: Folder, Hub id or `embedded:` name.
        revision: Branch, tag or commit of a Hub repository.
        expect: Expectations on the checkpoint and on every case.
        tokenizer: Digest of the tokenizer's file, `sha256:` and 64 hexadecimal digits.
        tensors: Shapes of stored tensors; a name may be folded, as `encoder.layer.{0-5}.output.dense.weight`.
        cases: Texts and what must come out for them.
    """

    model: str
    revision: str | None = None
    expect: tuple[Expectation, ...] = ()
    tokenizer: str | None = None
    tensors: Mapping[str, ShapePattern] = field(default_factory=dict)
    cases: tuple[ContractCase, ...] = ()
