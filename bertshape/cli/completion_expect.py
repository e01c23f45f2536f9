"""What a shell may complete after `--expect`; apart, for its names come with all that reads contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.contract.expectations import BEHAVIOURS
from bertshape.pipelines.facts import SCALAR_NAMES
from bertshape.pipelines.vector_facts import RECIPE_NAMES, TOKENIZER_NAMES
from bertshape.pooling.strategies import STRATEGIES
from bertshape.predict.family import family_names

if TYPE_CHECKING:
    from collections.abc import Iterable


def complete_expectation(incomplete: str) -> list[str]:
    """Names that an expectation may speak of, up to its operator; behind it, the values of those that have few."""
    name, sign, value = incomplete.partition("=")
    if sign:
        return [f"{name}={known}" for known in _values_of(name) if known.startswith(value)]
    behaviours = [name for name in BEHAVIOURS if name.startswith(incomplete)]
    return behaviours + [
        f"{name}=" for name in (*SCALAR_NAMES, *RECIPE_NAMES, *TOKENIZER_NAMES) if name.startswith(incomplete)
    ]


def _values_of(name: str) -> Iterable[str]:
    if name == "pooling":
        return STRATEGIES
    if name == "model_type":
        return family_names()
    return ("trained", "random", "absent") if name == "pooler" else ()
