"""Tensors of two checkpoints under one name: a task head puts `bert.` before those of the backbone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bertshape.predict.tensor_names import loaded_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bertshape.pipelines.model import Model

Value = TypeVar("Value")


def loaded_names(model: Model, stored: Iterable[str]) -> dict[str, str]:
    """The name under which transformers looks for each stored tensor; its own for buffers and unknown families."""
    family = model.architecture.family
    return {name: name if family is None else loaded_name(name, family) or name for name in stored}


def common_names(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """What to call the stored tensors of one side beside those of another.

    Args:
        one: The names that transformers looks for, by stored name.
        other: The same of the other side.

    Returns:
        Another name for each tensor that the other side stores too, under another name.
    """
    theirs = set(other.values())
    return {
        name: loaded
        for name, loaded in one.items()
        if name != loaded and name not in other and loaded in theirs and loaded not in one
    }


def renamed(values: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    """The same values, by other names."""
    return {names.get(name, name): value for name, value in values.items()}
