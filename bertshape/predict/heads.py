"""The tables of heads: `heads.toml`, a table for each family, and `head_parts.toml`, what heads are made of."""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertshape.errors import UsageError
from bertshape.predict.expressions import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bertshape.predict.architecture import Architecture

TASKS = (
    "sequence-classification",
    "token-classification",
    "question-answering",
    "masked-lm",
    "multiple-choice",
    "next-sentence-prediction",
)
"""Tasks in the order in which they are shown."""
_PIPELINES = {
    "fill-mask": "masked-lm",
    "mlm": "masked-lm",
    "qa": "question-answering",
    "nsp": "next-sentence-prediction",
    "ner": "token-classification",
    "pos": "token-classification",
    "classification": "sequence-classification",
    "text-ranking": "sequence-classification",
    "sentiment-analysis": "sequence-classification",
    "text-classification": "sequence-classification",
    "zero-shot-classification": "sequence-classification",
}
"""Names that transformers' pipelines and people give tasks, where they differ."""
_WITHOUT_HEAD = {
    "feature-extraction": "It has no head: leave --task out; outputs and pooled vectors are what it gives.",
    "sentence-similarity": "It has no head: leave --task out; the row encode() is the vector that it compares.",
    "text-generation": "It is a task of decoders; masked-lm is the language model of an encoder.",
}
"""Pipelines that put no head on an encoder, with what to do."""
_FINE_TUNED = ("sequence-classification", "token-classification", "question-answering", "multiple-choice")
"""Tasks that a checkpoint is fine-tuned for: what it is shown for without being asked."""
NUM_LABELS = "num_labels"
_FOLDER = Path(__file__).parent
_RESERVED = ("when", "tied")
_EMBEDDING = "embedding"


@dataclass(frozen=True)
class HeadPart:
    """Tensors that come together in a head.

    Attributes:
        when: Conditions under which it is there.
        tensors: Shapes by name, an axis a number or an expression of dimensions, keys and `num_labels`.
        tied: Tensors that are another one under a second name: name -> the other one's, or `embedding`.
    """

    when: tuple[str, ...]
    tensors: Mapping[str, tuple[str | int, ...]]
    tied: Mapping[str, str]


@dataclass(frozen=True)
class Head:
    """A head of one family.

    Attributes:
        task: The task; empty for a class that is of no task's Auto class.
        model_class: Class of transformers that puts the head on the family's model.
        parts: What it is made of.
        pooler: Whether the class has a pooler, and the head reads it (`used`) or not (`idle`); None without one.
    """

    task: str
    model_class: str
    parts: tuple[HeadPart, ...]
    pooler: str | None

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Names of the head's own tensors, under any configuration."""
        return frozenset(name for part in self.parts for name in part.tensors)

    @property
    def counts_labels(self) -> bool:
        """Whether the shape of any tensor depends on the number of labels."""
        return any(NUM_LABELS in symbols for part in self.parts for symbols in part.tensors.values())

    def owns(self, name: str) -> bool:
        """Whether a tensor, by transformers' name, is the head's."""
        return name in self.names

    def symbols(self, architecture: Architecture) -> dict[str, tuple[str, ...]]:
        """Shapes of the tensors that a configuration asks for, in dimensions and numbers."""
        return {
            name: tuple(map(str, symbols))
            for part in self._parts(architecture)
            for name, symbols in part.tensors.items()
        }

    def expected_tensors(self, architecture: Architecture, num_labels: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the tensors that a configuration asks for, by transformers' names."""

        def number(name: str) -> int:
            return num_labels if name == NUM_LABELS else architecture.number(name)

        return {
            name: tuple(evaluate(symbol, number) for symbol in symbols)
            for name, symbols in self.symbols(architecture).items()
        }

    def tied_tensors(self, architecture: Architecture) -> dict[str, str]:
        """Tensors that are another one under a second name: name -> the other one's; one of the two is enough.

        The other one may be of the backbone, under the base model's name. Nothing is tied where config.json says
        `tie_word_embeddings: false`.
        """
        if architecture.values.get("tie_word_embeddings", True) is False:
            return {}
        tied = {}
        for part in self._parts(architecture):
            for name, other in part.tied.items():
                source = architecture.table_of(str(part.tensors[name][0])) if other == _EMBEDDING else other
                if source is not None:
                    tied[name] = source
        return tied

    def _parts(self, architecture: Architecture) -> Iterator[HeadPart]:
        return (part for part in self.parts if all(map(architecture.holds, part.when)))


def load_head(model_type: str, task: str) -> Head | None:
    """The head of a family for a task; None where transformers has none."""
    return next((head for head in _heads(model_type).values() if head.task == task), None)


def head_of_class(model_type: str, model_class: str) -> Head | None:
    """The head of a class of transformers; None for a class without one, or of another family."""
    return _heads(model_type).get(model_class)


def head_names(model_type: str) -> frozenset[str]:
    """Names of the tensors of all heads of a family."""
    return frozenset(name for head in _heads(model_type).values() for name in head.names)


def head_classes(model_type: str) -> tuple[str, ...]:
    """Classes of transformers that put a head on the family's model."""
    return tuple(_heads(model_type))


def declared_task(model_type: str, declared: object) -> str | None:
    """The task that a checkpoint was fine-tuned for.

    Args:
        model_type: Its family.
        declared: What config.json says under `architectures`.

    Returns:
        None for a base model, for pre-training heads, and for classes of no family.
    """
    name = declared[0] if isinstance(declared, list) and declared else None
    head = head_of_class(model_type, name) if isinstance(name, str) else None
    return head.task if head is not None and head.task in _FINE_TUNED else None


def select_tasks(names: Sequence[str]) -> tuple[str, ...]:
    """Tasks by name, or by the name of their pipeline, each once; `all` stands for all of them.

    Raises:
        UsageError: There is no such task.
    """
    chosen: list[str] = []
    for written in names:
        name = _PIPELINES.get(written.lower(), written.lower().replace("_", "-"))
        if name != "all" and name not in TASKS:
            near = difflib.get_close_matches(name.lower().replace("_", "-"), TASKS, n=1, cutoff=0.7)
            listed = f"Tasks: {', '.join(TASKS)}, all."
            hint = f"Did you mean {near[0]}?" if near else _WITHOUT_HEAD.get(written.lower(), listed)
            raise UsageError(f"there is no task {written!r}", hint=hint, code="unknown-task")
        chosen += TASKS if name == "all" else (name,)
    return tuple(task for task in TASKS if task in chosen)


@functools.cache
def _heads(model_type: str) -> Mapping[str, Head]:
    return {
        name: Head(row.get("task", ""), name, tuple(map(_part, row["parts"])), row.get("pooler"))
        for name, row in _table("heads.toml", model_type).items()
    }


@functools.cache
def _part(name: str) -> HeadPart:
    row = _table("head_parts.toml", name)
    tensors = {key: tuple(shape) for key, shape in row.items() if key not in _RESERVED}
    return HeadPart(tuple(row.get("when", ())), tensors, row.get("tied", {}))


def _table(file: str, name: str) -> Mapping[str, Any]:
    """One table of a file. It alone is parsed: all of both files take 15 ms, a tenth of a check."""
    found = re.search(rf"^\[{re.escape(name)}\]\n(.*?)(?=^\[|\Z)", _text(file), re.MULTILINE | re.DOTALL)
    return tomllib.loads(found[1]) if found else {}


@functools.cache
def _text(file: str) -> str:
    return (_FOLDER / file).read_text(encoding="utf-8")
