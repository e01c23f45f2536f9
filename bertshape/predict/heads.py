"""The table of heads: `heads.toml`, a table a family."""

from __future__ import annotations

import difflib
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TASKS = (
    "sequence-classification",
    "token-classification",
    "question-answering",
    "masked-lm",
    "multiple-choice",
    "next-sentence-prediction",
)
"""Tasks in the order in which they are shown."""
_TABLE = Path(__file__).parent / "heads.toml"


@dataclass(frozen=True)
class Head:
    """A head of one family.

    Attributes:
        task: The task.
        model_class: Class of transformers that puts the head on the family's model.
        prefixes: Beginnings of the names of the head's own tensors.
    """

    task: str
    model_class: str
    prefixes: tuple[str, ...]

    def owns(self, name: str) -> bool:
        """Whether a stored tensor is the head's."""
        return name.startswith(self.prefixes)


def load_head(model_type: str, task: str) -> Head | None:
    """The head of a family for a task; None where transformers has none."""
    row = _heads().get(model_type, {}).get(task)
    if row is None:
        return None
    names: Sequence[str] = row["head"]  # type: ignore[assignment]  # a list, by the table's form
    return Head(task, str(row["class"]), tuple(f"{name}." for name in names))


def select_tasks(names: Sequence[str]) -> tuple[str, ...]:
    """Tasks by name, each once; `all` stands for all of them.

    Raises:
        UsageError: There is no such task.
    """
    chosen: list[str] = []
    for name in names:
        if name != "all" and name not in TASKS:
            near = difflib.get_close_matches(name.lower().replace("_", "-"), TASKS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Tasks: {', '.join(TASKS)}, all."
            raise UsageError(f"there is no task {name!r}", hint=hint, code="unknown-task")
        chosen += TASKS if name == "all" else (name,)
    return tuple(task for task in TASKS if task in chosen)


@functools.cache
def _heads() -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))
