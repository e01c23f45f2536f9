"""What a checkpoint holds of a head, against what the head's class asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.predict.heads import NUM_LABELS
from bertshape.predict.tensor_names import loaded_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.tensors import TensorInfo
    from bertshape.predict.architecture import Architecture
    from bertshape.predict.heads import Head

Shape = tuple[int, ...]


@dataclass(frozen=True)
class StoredHead:
    """A head as it is stored.

    Attributes:
        head: The head.
        stored: Shapes of its stored tensors, by transformers' names.
        expected: Shapes that its class asks for.
        missing: Names of tensors that would be random: neither stored nor tied to one that is.
        misfits: Names of stored tensors whose shape is another one; they are not loaded.
        labels: How many labels the stored tensors have room for; None where they do not tell.
    """

    head: Head
    stored: Mapping[str, Shape]
    expected: Mapping[str, Shape]
    missing: tuple[str, ...]
    misfits: tuple[str, ...]
    labels: int | None

    @property
    def absent(self) -> bool:
        """Whether nothing of the head is stored that the backbone does not hold."""
        return not any(name in self.stored for name in self.expected)

    @property
    def whole(self) -> bool:
        """Whether every tensor is there, in its shape."""
        return not self.missing and not self.misfits


def read_stored_head(
    head: Head, architecture: Architecture, tensors: Mapping[str, TensorInfo], num_labels: int
) -> StoredHead:
    """Compare the stored tensors with what a head's class asks for.

    Args:
        head: The head.
        architecture: Dimensions of the model.
        tensors: All stored tensors, by the names in the files.
        num_labels: Labels that config.json counts.
    """
    family = architecture.family
    loaded = {loaded_name(name, family): tensor.shape for name, tensor in tensors.items()} if family else {}
    stored = {name: shape for name, shape in loaded.items() if name is not None and head.owns(name)}
    expected = head.expected_tensors(architecture, num_labels)
    missing = [name for name in expected if name not in loaded]
    for name, other in head.tied_tensors(architecture).items():
        # transformers ties both ways: whichever of the two is stored fills the other.
        if name in loaded or other in loaded:
            missing = [lacking for lacking in missing if lacking not in (name, other)]
    return StoredHead(
        head=head,
        stored=stored,
        expected=expected,
        missing=tuple(missing),
        misfits=tuple(name for name, shape in expected.items() if name in stored and stored[name] != shape),
        labels=_labels(head, architecture, stored),
    )


def _labels(head: Head, architecture: Architecture, stored: Mapping[str, Shape]) -> int | None:
    for name, symbols in head.symbols(architecture).items():
        if NUM_LABELS in symbols and len(stored.get(name, ())) == len(symbols):
            return stored[name][symbols.index(NUM_LABELS)]
    return None
