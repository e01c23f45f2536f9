"""From the name of a stored tensor to the name that the base model gives it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.tensors import TensorInfo
    from bertshape.predict.family import Family

# Checkpoints converted from TensorFlow say gamma and beta; transformers renames them too, of layers of this name alone.
_OLD_ENDINGS = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
# Buffers: what older releases saved and is computed now, and the ranges and integers of I-BERT's quantisation.
BUFFERS = re.compile(
    r"(^|\.)(position_ids|token_type_ids|inv_freq|x_min|x_max|(act|fc|weight)_scaling_factor|(weight|bias)_integer"
    r"|LayerNorm\.shift)$"
)
# ASCII digits alone, and no more than any model needs: Python reads no very long numbers.
_NUMBER = re.compile(r"[0-9]{1,9}")


def loaded_name(name: str, family: Family) -> str | None:
    """The name under which transformers looks for a stored tensor, without the base model's prefix.

    Args:
        name: Name in the checkpoint, perhaps with a prefix such as `bert.`, perhaps with old endings.
        family: The family of the checkpoint.

    Returns:
        The name, of a backbone tensor or of a head's; None for buffers, which no parameter takes.
    """
    if BUFFERS.search(name):
        return None
    for old, new in _OLD_ENDINGS.items():
        if name.endswith(old):
            name = name.removesuffix(old) + new
    for prefix in family.prefixes:
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    for old, new in family.renamed.items():
        name = name.replace(old, new)
    return name


def backbone_name(name: str, family: Family) -> str | None:
    """The base model's name of a stored tensor; arguments are those of `loaded_name`.

    Returns:
        The name; None for task heads and for buffers, which no backbone parameter takes.
    """
    loaded = loaded_name(name, family)
    return loaded if loaded is not None and loaded.split(".")[0] in family.top_level_names else None


def backbone_tensors(name: str, shape: tuple[int, ...], family: Family) -> dict[str, tuple[int, ...]]:
    """What the base model makes of a stored tensor: one parameter, several where families fuse them, or none.

    Args:
        name: Name in the checkpoint.
        shape: Its shape.
        family: The family of the checkpoint.
    """
    own_name = backbone_name(name, family)
    if own_name is None:
        return {}
    for fused, parts in family.fused.items():
        if fused in own_name and shape and shape[0] % len(parts) == 0:
            size = (shape[0] // len(parts), *shape[1:])
            return {own_name.replace(fused, part): size for part in parts}
    return {own_name: shape}


def layer_index(name: str, family: Family) -> int | None:
    """Number of the layer that a backbone tensor belongs to; None where layers are shared or it is in none."""
    for before in family.layer_paths:
        number = name.removeprefix(before).split(".")[0]
        if name.startswith(before) and _NUMBER.fullmatch(number):
            return int(number)
    return None


def recognised(tensors: Mapping[str, TensorInfo], family: Family) -> int:
    """How many stored names are those of a family's backbone, layers counted whatever their number."""
    known = {re.sub(r"\{[^}]+\}", "0", name) for name in family.templates()}
    count = 0
    for name, tensor in tensors.items():
        own_names = backbone_tensors(name, tensor.shape, family)
        count += any(re.sub(r"(?<=\.)\d+(?=\.)", "0", own_name) in known for own_name in own_names)
    return count
