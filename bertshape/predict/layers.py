"""The shapes inside a model: a tree of its parts, equal ones folded into one. Plain Python, predicted without torch."""

from __future__ import annotations

import math
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bertshape.report.layer import Layer
from bertshape.shapes import BATCH_SIZE, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bertshape.predict.architecture import Architecture
    from bertshape.predict.family import Family

# The projections of attention, by the names that families give them: their vectors are split among the heads.
_PER_HEAD = frozenset(
    [f"{part}{ending}" for part in "qkv" for ending in ("", "_lin", "_proj")]
    + [f"{part}{ending}" for part in ("query", "key", "value") for ending in ("", "_proj")]
)
_GROUPED = frozenset(["k_proj", "v_proj"])
"""Those that several heads share, in families that group them."""
# Rows of these tables are looked up by number: what comes out has the size of a row.
_TABLES = frozenset(["vocab_size", "type_vocab_size"])
# Sizes in the matrices that work on tokens.
_OF_TOKENS = frozenset([*_TABLES, "hidden_size", "embedding_size", "intermediate_size"])
_OF_HEADS = ("num_attention_heads*", "num_key_value_heads*")

_IDLE = frozenset(["crossattention", "ln_cross_attn", "shared"])
"""Parts that a run leaves out in every family: they wait for another model's vectors, or another part has the same
parameters."""


def predict_layers(architecture: Architecture, batch_size: int, sequence_length: int, dtype: str) -> Layer | None:
    """The tree that the names and shapes of the parameters tell, its parts in the order in which they run.

    A part that holds a table or a matrix gives vectors as long as its rows or its columns, and a part that holds others
    what the last of them gives.

    Returns:
        None where the family's tensors are not known.
    """
    expected, family = architecture.expected_tensors(), architecture.family
    if expected is None or family is None:
        return None
    # A tied parameter stands in two places, and counts once.
    tied = family.tied
    expected |= {name: expected[other] for name, other in tied.items()}
    shapes = {}
    for name in expected if family.layer_shapes else ():
        path, _, parameter = name.rpartition(".")
        symbols = architecture.symbols(tied.get(name, name))
        if parameter == "weight" and len(symbols) in (1, 2) and not _is_of_positions(path, symbols):
            last = int(len(symbols) == 2 and (family.input_first or symbols[0] in _TABLES))
            axes = (BATCH_SIZE, SEQUENCE_LENGTH, symbols[last])
            sizes = (batch_size, sequence_length, expected[name][last])
            shapes[path] = TensorShape(axes, sizes, architecture.dtype_of(name, dtype))
            if family.pooler and name.startswith(family.pooler):
                shapes[path] = TensorShape((BATCH_SIZE, symbols[0]), (batch_size, expected[name][0]), dtype)
    # The table names the pooler with all that is outside the layers; it runs after them.
    pooler = family.pooler
    names = sorted(expected, key=lambda name: pooler is not None and name.startswith(pooler))
    counts = {name: math.prod(expected[name]) for name in names}
    # Where some parameters keep float32, sums of two dtypes are known by a run alone.
    mixed = any(architecture.dtype_of(name, dtype) != dtype for name in names)

    def grow(name: str, path: str, counts: Mapping[str, int], calls: int = 1) -> Layer:
        """The node of a path, from the parameters below it."""
        calls = _calls(architecture, path, name, calls)
        prefix = f"{path}." if path else ""
        below = {key: count for key, count in counts.items() if key.startswith(prefix)}
        rests = [key.removeprefix(prefix) for key in below]
        parts = family.as_run(path, dict.fromkeys(rest.split(".")[0] for rest in rests if "." in rest))
        children = fold(grow(part, prefix + part, below, calls) for part in parts)
        # A list of layers is never called itself.
        calls = 0 if children and all(child.name.strip("{")[0].isdigit() for child in children) else calls
        shape = shapes.get(path) if calls else None
        shape = _last(path, children, family) if shape is None and calls and not mixed else shape
        total = sum(count for key, count in below.items() if tied.get(key) not in below)
        return Layer(name, None, 1, calls, shape, split_heads(name, shape, architecture), total, children)

    return grow(family.model_class, "", counts)


def _last(path: str, children: tuple[Layer, ...], family: Family) -> TensorShape | None:
    """What a part gives that holds others: what its last one gives, but a model's pooler comes after what it gives.

    Returns:
        None where that is not known: what a joined projection gives is split again, and classes like DPR's give the
        pooled vector itself.
    """
    if not path and family.class_prefixes:
        return None
    for child in reversed(children):
        own = f"{path}.{child.name}" if path else child.name
        # A table of positions is added to what was there before.
        known = child.shape is not None or child.children
        if known and not child.idle and f"{own}." != family.pooler:
            shape = child.shape if child.calls else _last(own, child.children, family)
            return None if shape is None or "*" in shape.axes[-1] else shape
    return None


def _calls(architecture: Architecture, path: str, name: str, calls: int) -> int:
    """How often a part runs in one forward pass: as often as what holds it, unless the table says otherwise."""
    family = architecture.family
    if family is None or name in _IDLE or any(fnmatchcase(path, pattern) for pattern in architecture.idle):
        return 0
    before = family.layer.partition("{")[0]
    number = path.removeprefix(before)
    if family.layers_run is None or not path.startswith(before) or not number.isdigit():
        return calls
    repeats = architecture.values.get(family.layers_run)
    if isinstance(repeats, list):
        return repeats[int(number)] if int(number) < len(repeats) else calls
    layers, groups = architecture.dimensions.num_hidden_layers, max(architecture.number(family.layers_run), 1)
    # As transformers counts: of five layers in two groups, three run as the first.
    return sum(int(layer / (layers / groups)) == int(number) for layer in range(layers))


def _is_of_positions(path: str, symbols: tuple[str, ...]) -> bool:
    """Whether a part works on positions and not on tokens: how many there are is its family's own affair."""
    sizes = {symbol.rpartition("*")[2] for symbol in symbols if not symbol.startswith(_OF_HEADS)}
    return not sizes <= _OF_TOKENS or path.rpartition(".")[2].startswith("pos_") or path == "encoder.LayerNorm"


def split_heads(name: str, shape: TensorShape | None, architecture: Architecture) -> tuple[int, int] | None:
    """Heads and the size of one, for a part whose vectors attention splits; None for any other.

    Args:
        name: Last part of its name.
        shape: What it gives.
        architecture: How many heads attend, and how many keys and values they share.
    """
    heads = architecture.dimensions.num_attention_heads
    if name in _GROUPED:
        heads = architecture.number("num_key_value_heads") or heads
    if name not in _PER_HEAD or shape is None or not heads or shape.sizes[-1] % heads:
        return None
    return heads, shape.sizes[-1] // heads


def fold(children: Iterable[Layer]) -> tuple[Layer, ...]:
    """Give neighbours that differ in their number alone one node: `{0-11}`."""
    folded: list[Layer] = []
    for child in children:
        before = folded[-1] if folded else None
        alike = (
            before is not None
            and child.name.isdigit()
            and replace(child, name="", copies=1) == replace(before, name="", copies=1)
        )
        if alike and before is not None and before.name.strip("{}").replace("-", "").isdigit():
            first = before.name.strip("{}").split("-")[0]
            folded[-1] = replace(before, name=f"{{{first}-{child.name}}}", copies=before.copies + 1)
        else:
            folded.append(child)
    return tuple(folded)
