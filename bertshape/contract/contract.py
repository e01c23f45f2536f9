"""What a contract file says, as values."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.contract.expectations import Expectation
    from bertshape.contract.shape_pattern import ShapePattern

CASE_KEYS = ("text", "pair", "input_ids")
"""Keys of a case that are no names of shapes."""

CHECKPOINT_KEYS = ("model", "revision", "tokenizer", "expect", "tensors", "values", "case")
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
        model: Folder, Hub id or `embedded:` name, as a person wrote it.
        revision: Branch, tag or commit of a Hub repository.
        expect: Expectations on the checkpoint and on every case.
        tokenizer: Digest of the tokenizer's file, `sha256:` and 64 hexadecimal digits.
        tensors: Shapes of stored tensors; a name may be folded, as `encoder.layer.{0-5}.output.dense.weight`.
        values: Digests of the stored numbers by the part of the model that they are of; empty where none are written.
        cases: Texts and what must come out for them.
        folder: Folder of the contract file, from which a relative path in `model` leads to the checkpoint.
        file: Path of the contract file; empty where it was not read from one.
        index: Which of the file's checkpoints it is, from 0.
    """

    model: str
    revision: str | None = None
    expect: tuple[Expectation, ...] = ()
    tokenizer: str | None = None
    tensors: Mapping[str, ShapePattern] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[ContractCase, ...] = ()
    folder: str = field(default="", compare=False)
    file: str = field(default="", compare=False)
    index: int = field(default=0, compare=False)

    @property
    def location(self) -> str:
        """The model as seen from the working directory; a Hub id and an embedded name stay as they are."""
        joined = os.path.join(self.folder, self.model)
        explicit = self.model in (".", "..") or self.model.startswith(("./", "../", ".\\", "..\\"))
        if os.path.isabs(self.model) or not (explicit or os.path.isdir(joined)):
            return self.model
        short = os.path.normpath(joined)
        # `link/..` is where the link leads, which the text of the path alone cannot say.
        if os.path.isdir(joined) and not (os.path.isdir(short) and os.path.samefile(short, joined)):
            short = joined
        return explicit_path(short)


def explicit_path(path: str) -> str:
    """A path that is never taken for a Hub id, even if the folder goes away: a relative one begins with ./ or ../."""
    if os.path.isabs(path) or path.startswith((os.curdir + os.sep, os.pardir)) or path == os.curdir:
        return path
    return os.path.join(os.curdir, path)
