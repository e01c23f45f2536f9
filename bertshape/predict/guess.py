"""Which family a config.json without model_type is of, by the classes that it names and the names of the tensors."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bertshape.predict.config import resolve
from bertshape.predict.family import family_names, family_of_class, load_family
from bertshape.predict.tensor_names import recognised

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

_ASKED = 10_000
_LEAST_SHARE = 0.5
"""Share of the stored names that must be those of one family and of no other."""


def describe(checkpoint: Checkpoint) -> Architecture:
    """What config.json describes; one without model_type is read as of the family that the rest of it tells.

    Raises:
        CheckpointError: The model is no encoder, its family is not known, or a dimension is missing or impossible.
    """
    config = checkpoint.config
    if "model_type" not in config:
        guessed = guess_model_type(checkpoint)
        config = config if guessed is None else {**config, "model_type": guessed}
    return resolve(config, checkpoint.config_path)


def guess_model_type(checkpoint: Checkpoint) -> str | None:
    """The one family that the classes or the tensors are of; None where several or none are."""
    declared = checkpoint.config.get("architectures")
    names = [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else []
    of_classes = {family.model_type for name in names if (family := family_of_class(name))}
    if len(of_classes) == 1:
        return of_classes.pop()
    tensors = dict(islice(checkpoint.headers.tensors.items(), _ASKED)) if checkpoint.headers else {}
    counts = {name: recognised(tensors, family) for name in family_names() if (family := load_family(name))}
    best = max(counts.values())
    alike = [name for name, count in counts.items() if count == best]
    return alike[0] if len(alike) == 1 and best > _LEAST_SHARE * len(tensors) else None
