"""Tensor bytes of a model that runs: the sums that tests/tools/memory_terms.py derives from counts, one file a family.

The fields of a file in `activations/`, named like the model type:

- `same_as`: the model type whose file holds for this one too.
- `when`: a condition under which the sums hold, and `otherwise`: the model type whose sums do where it fails.
- `longest`: the tokens up to which the sums hold.
- `[letters]`: what a letter stands for, where that is another key of config.json.
- `[ungrouped]`, `[single]`: what takes the place of the tables below where no heads share keys and values, and where
  all share those of one: torch copies nothing then.
- `[eager]`, `[sdpa]`: implementations of attention, with a row for `inference`, `training` and training with gradient
  `checkpointing`; a row with the ending `_16` takes its place in float16 and bfloat16, and an empty one says that
  transformers does not run it so, or that it was not counted. `layer` is what each layer adds, and `rest` has what
  lives besides, at every moment that may be the peak.

Sums count elements of the dtype of the weights: B is batch_size, L sequence_length, T both multiplied, H hidden_size,
A num_attention_heads, G num_key_value_heads, I intermediate_size, E embedding_size, D the size of a head, M the
distances between tokens (2*L-1), S the attention weights of a layer (B*A*L*L), and w the bytes of an element: `T*L/w`
is a mask of one byte for each pair of tokens.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bertshape.predict.expressions import evaluate, steps
from bertshape.report.batch_memory import Term
from bertshape.shapes import DTYPE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bertshape.predict.architecture import Architecture
    from bertshape.report.memory import Attention

_FOLDER = Path(__file__).parent / "activations"
_LETTERS = {
    "H": "hidden_size",
    "A": "num_attention_heads",
    "G": "num_key_value_heads",
    "D": "head_dim",
    "I": "intermediate_size",
    "E": "embedding_size",
}
_POWERS = {"B": (1, 0), "L": (0, 1), "M": (0, 1), "T": (1, 1), "S": (1, 2)}
"""Powers of texts and of tokens in letters that depend on the batch."""

Mode = Literal["inference", "training", "checkpointing"]
ATTENTIONS: tuple[Attention, ...] = ("eager", "sdpa")


@dataclass(frozen=True)
class Activations:
    """What a model keeps in memory besides its weights.

    Attributes:
        architecture: Dimensions and family.
        rows: The content of the family's file.
    """

    architecture: Architecture
    rows: Mapping[str, Any]

    @property
    def attentions(self) -> tuple[Attention, ...]:
        """The implementations of attention that transformers has for the family, and that were counted."""
        return tuple(name for name in ATTENTIONS if name in self.rows)

    @property
    def longest(self) -> int | None:
        """Tokens up to which the sums hold; None for any number."""
        said = self.rows.get("longest")
        return None if said is None else evaluate(said, self.architecture.number)

    @property
    def keeps_hidden_states(self) -> bool:
        """Whether inference keeps what each layer gives, whoever asks for it."""
        return any("layer" in self.rows[name]["inference"] for name in self.attentions)

    def bytes(
        self, mode: Mode, attention: Attention, dtype: str, shape: tuple[int, int], layers: int | None = None
    ) -> int | None:
        """Bytes of all tensors but weights, their gradients and the inputs, at the peak.

        Args:
            mode: Inference, or training with gradient checkpointing or without.
            attention: Implementation of attention.
            dtype: Dtype of the weights.
            shape: Texts of a batch, and tokens of each.
            layers: How many layers keep what they keep; None for all.

        Returns:
            None where that is not known.
        """
        width = DTYPE_BYTES[dtype]
        row = self._row(mode, attention, width)
        if not row or (self.longest is not None and shape[1] > self.longest):
            return None
        number = self._numbers(shape, width)
        layers = layers or self.architecture.dimensions.num_hidden_layers
        kept = layers * evaluate(row["layer"], number) if "layer" in row else 0
        return width * (kept + max(evaluate(rest, number) for rest in row["rest"]))

    def terms(self, attention: Attention, dtype: str) -> tuple[tuple[Term, ...], ...]:
        """The sums of inference as numbers, of which only the shape of a batch is left out; none where not known."""
        width = DTYPE_BYTES[dtype]
        row = self._row("inference", attention, width)
        number = self._numbers((1, 1), width)
        layers = self.architecture.dimensions.num_hidden_layers
        kept = [replace(term, bytes=layers * term.bytes) for term in _terms(row.get("layer", ""), number, width)]
        return tuple((*kept, *_terms(rest, number, width)) for rest in row.get("rest", ()))

    def _row(self, mode: Mode, attention: Attention, width: int) -> Mapping[str, Any]:
        table = self.rows.get(attention, {})
        row: Mapping[str, Any] = table.get(f"{mode}_16", table.get(mode, {})) if width == 2 else table.get(mode, {})
        return row

    def _numbers(self, shape: tuple[int, int], width: int) -> Callable[[str], int]:
        batch_size, length = shape
        letters = _LETTERS | self.rows.get("letters", {})
        sizes = {letter: self.architecture.number(name) for letter, name in letters.items()}
        heads = max(sizes["A"], 1)
        sizes |= {"B": batch_size, "L": length, "T": batch_size * length, "w": width}
        sizes |= {"S": heads * batch_size * length**2, "D": sizes["D"] or sizes["H"] // heads, "M": 2 * length - 1}
        return sizes.__getitem__


def _terms(expression: str, number: Callable[[str], int], width: int) -> list[Term]:
    """The products of a sum in bytes: numbers of a model, and powers of texts and tokens."""
    found: list[Term] = []
    for operator, name in steps(expression):
        texts, tokens = _POWERS.get(name, (0, 0))
        # A distance between tokens is near to two for each token.
        value = int(name) if name.isdigit() else 2 if name == "M" else number(name)
        if operator not in ("*", "/"):
            found.append(Term(texts, tokens, -width * value if operator == "-" else width * value))
        else:
            last = found.pop()
            size = last.bytes * value if operator == "*" else last.bytes // value
            found.append(Term(last.texts + texts, last.tokens + tokens, size))
    return found


def activations(architecture: Architecture) -> Activations | None:
    """What is known of a model's activations; None where its family was not counted, or does other things."""
    rows = _load(architecture.model_type) if architecture.family else None
    if rows is not None and "when" in rows and not architecture.holds(rows["when"]):
        rows = _load(rows["otherwise"]) if "otherwise" in rows else None
    if rows is None:
        return None
    shared, heads = architecture.number("num_key_value_heads"), architecture.dimensions.num_attention_heads
    if shared in (1, heads):
        rows = {**rows, **rows.get("ungrouped" if shared == heads else "single", {})}
    return Activations(architecture, rows)


@functools.cache
def _load(model_type: str) -> Mapping[str, Any] | None:
    path = _FOLDER / f"{model_type}.toml"
    if not path.is_file():
        return None
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    return _load(rows["same_as"]) if "same_as" in rows else rows
