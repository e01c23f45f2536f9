"""Which family a config.json without model_type is of, by the classes that it names and the names of the tensors."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
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
        likely = likely_model_types(checkpoint)
        if len(likely) > 1:
            raise CheckpointError(
                f"{checkpoint.config_path} has no model_type, and its tensors have names that {len(likely)} families "
                f"use: {', '.join(likely)}",
                hint=f'Add the one that these weights were trained as to config.json, such as "model_type": '
                f'"{"bert" if "bert" in likely else likely[0]}".',
                code="model-type-missing",
            )
        config = {**config, "model_type": likely[0]} if likely else config
    return resolve(config, checkpoint.config_path)


def likely_model_types(checkpoint: Checkpoint) -> list[str]:
    """The families that the classes or the tensors are of."""
    declared = checkpoint.config.get("architectures")
    names = [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else []
    of_classes = {family.model_type for name in names if (family := family_of_class(name))}
    if len(of_classes) == 1:
        return [*of_classes]
    tensors = dict(islice(checkpoint.headers.tensors.items(), _ASKED)) if checkpoint.headers else {}
    counts = {name: recognised(tensors, family) for name in family_names() if (family := load_family(name))}
    best = max(counts.values())
    alike = [name for name, count in counts.items() if count == best]
    return alike if best > _LEAST_SHARE * len(tensors) else []
