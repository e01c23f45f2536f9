"""The labels that config.json gives a head: how many, and their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_LABELS = 1_000_000
_NEXT_SENTENCE = ("the second text follows", "it does not")
"""What the two numbers of next-sentence-prediction are for (Devlin et al. 2019; transformers' BertForPreTraining)."""
LABELLED = ("sequence-classification", "token-classification")
"""Tasks whose last matrix has a row for each label."""


def task_labels(task: str, config: Mapping[str, object]) -> tuple[str, ...]:
    """Names of the labels of a task, as transformers reads them from config.json; empty where outputs have none.

    Raises:
        CheckpointError: They are nothing that transformers builds a head from.
    """
    if task == "next-sentence-prediction":
        return _NEXT_SENTENCE
    return read_labels(config) if task in LABELLED else ()


def read_labels(config: Mapping[str, object]) -> tuple[str, ...]:
    """Names of the labels, as transformers reads them.

    `id2label` counts, unless `num_labels` differs from its length; without both there are two.

    Raises:
        CheckpointError: They are nothing that transformers builds a head from.
    """
    named = named_labels(config)
    count = config.get("num_labels", ...)
    if named is not None and count in (..., len(named)):  # 2.0 counts two names as well.
        count = len(named)
    count = 2 if count is ... else count
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MOST_LABELS:
        field = "num_labels" if "num_labels" in config else "number of labels in id2label"
        raise _invalid_labels(field, count, f"a whole number from 1 to {_MOST_LABELS}")
    if named is not None and len(named) == count:
        return tuple(named[number] for number in sorted(named))
    return tuple(f"LABEL_{index}" for index in range(count))


def named_labels(config: Mapping[str, object]) -> dict[int, str] | None:
    """The names of `id2label` by number; None where there is none.

    Raises:
        CheckpointError: It is no object of names by number.
    """
    value = config.get("id2label")
    if value is None:
        return None
    if not isinstance(value, dict) or not all(re.fullmatch(r"-?[0-9]{1,18}", key) for key in value):
        raise _invalid_labels("id2label", value, "an object of a name for each number")
    return {int(key): str(name) for key, name in value.items()}


def _invalid_labels(field: str, value: object, expected: str) -> CheckpointError:
    return CheckpointError(
        f"config.json: {field} is {str(value)[:50]!r}, expected {expected}",
        hint=f"Correct {field} in config.json, or remove it: two labels are assumed then.",
        code="config-invalid",
    )
