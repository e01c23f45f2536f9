"""Sizes that the weights hold against those that config.json says; the field to blame is named once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.predict.architecture import Dimensions
from bertshape.predict.config import resolve
from bertshape.predict.tensor_names import layer_index
from bertshape.report.finding import Finding
from bertshape.soundness.defaults import says
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

Shape = tuple[int, ...]

_DIMENSIONS = frozenset(field.name for field in fields(Dimensions))
# Models that choose the size of a head freely say so under one of these keys.
_FREE_HEADS = ("head_dim", "d_head", "d_kv", "attention_head_size")
_SHOWN = 3


@dataclass(frozen=True)
class HeldDimensions:
    """What the stored tensors say about sizes.

    Attributes:
        layers: Layers that the weights hold; None where their names do not tell.
        sizes: Size that most tensors give a dimension, for those that differ from config.json.
        tensors: How many tensors say so.
        architecture: What a config.json would describe that fits these weights.
    """

    layers: int | None
    sizes: Mapping[str, int]
    tensors: Mapping[str, int]
    architecture: Architecture


def held_dimensions(checkpoint: Checkpoint, architecture: Architecture, stored: Mapping[str, Shape]) -> HeldDimensions:
    """Ask every stored tensor for the dimensions in its shape; the majority counts.

    Args:
        checkpoint: For its config.json.
        architecture: What config.json describes.
        stored: Shapes of the stored backbone tensors, by the base model's names.
    """
    family = architecture.family
    indices = [index for name in stored if family and (index := layer_index(name, family)) is not None]
    layers = max(indices) + 1 if indices else None
    # Layers first: a wrong number of them would hide tensors, and a huge one would never end.
    fixes = {} if layers is None else {architecture.config_key("num_hidden_layers"): layers}
    layered = _fixed(checkpoint, architecture, fixes)
    votes = _votes(layered, stored)
    sizes = {symbol: _winner(count, stated(layered, symbol)) for symbol, count in votes.items()}
    implicit = architecture.config_key("embedding_size") not in architecture.values
    if implicit and sizes.get("embedding_size") == sizes.get("hidden_size"):
        # It follows hidden_size unless the weights say otherwise, and so does the blame.
        sizes.pop("embedding_size", None)
    sizes = {symbol: size for symbol, size in sizes.items() if size != stated(layered, symbol)}
    fixes |= {architecture.config_key(symbol): size for symbol, size in sizes.items()}
    return HeldDimensions(
        layers=layers,
        sizes=sizes,
        tensors={symbol: votes[symbol][size] for symbol, size in sizes.items()},
        architecture=_fixed(checkpoint, architecture, fixes),
    )


def dimension_findings(
    checkpoint: Checkpoint, architecture: Architecture, stored: Mapping[str, Shape], held: HeldDimensions
) -> Iterator[Finding]:
    """One finding for each field of config.json that the weights contradict, then for tensors no field explains."""
    for symbol, size in held.sizes.items():
        key, stands = architecture.config_key(symbol), stated(architecture, symbol)
        count = counted(held.tensors[symbol], "tensor")
        yield Finding(
            "dimension-mismatch",
            "error",
            f"{key}: {says(checkpoint, architecture, symbol, stands)}, the weights hold {size} ({count})",
            f"Set {key} to {size} in config.json.",
            where=f"config.json {key}",
            expected=size,
            actual=stands if isinstance(stands, int | str) else str(stands),
        )
    expected = held.architecture.expected_tensors() or {}
    odd = [name for name, shape in expected.items() if name in stored and stored[name] != shape]
    empty = [name for name in odd if 0 in stored[name]]
    if empty:
        yield _empty(empty, stored)
        odd = [name for name in odd if name not in empty]
    for name in odd[:_SHOWN]:
        wanted, actual = str(list(expected[name])), str(list(stored[name]))
        yield Finding(
            "tensor-mismatch",
            "error",
            f"{name}: expected {wanted} by {checkpoint.config_path}, the weights hold {actual}",
            "transformers 5 reads no pruned_heads: take the weights from before heads were pruned."
            if checkpoint.config.get("pruned_heads")
            else "Restore the weights, or the config.json that was saved with them.",
            where=name,
            expected=wanted,
            actual=actual,
        )


def _empty(names: list[str], stored: Mapping[str, Shape]) -> Finding:
    """Tensors without numbers: each process of DeepSpeed ZeRO-3 or FSDP holds a part, and one saved what it had."""
    shape = str(list(stored[names[0]]))
    return Finding(
        "tensors-empty",
        "error",
        f"{len(names)} stored tensor{'s hold' if len(names) > 1 else ' holds'} no numbers, such as {names[0]} of shape "
        f"{shape}: so one process of DeepSpeed ZeRO-3 or FSDP saves a model whose parts lie with the others",
        "Save it again from all processes: stage3_gather_16bit_weights_on_model_save, or zero_to_fp32.py over the "
        "checkpoint of the training.",
        where=names[0],
        expected="numbers",
        actual=shape,
    )


def layer_findings(checkpoint: Checkpoint, architecture: Architecture, held: HeldDimensions) -> Iterator[Finding]:
    """Whole layers that are missing or left over."""
    layers = architecture.dimensions.num_hidden_layers
    if held.layers is None or held.layers == layers:
        return
    key = architecture.config_key("num_hidden_layers")
    what = "random layers would be added" if held.layers < layers else "the rest would be dropped"
    yield Finding(
        "layers-mismatch",
        "error",
        f"{key}: {says(checkpoint, architecture, 'num_hidden_layers', layers)}, the weights hold "
        f"{counted(held.layers, 'layer')}; "
        f"{what}",
        f"Set {key} to {held.layers} in config.json.",
        where=f"config.json {key}",
        expected=held.layers,
        actual=layers,
    )


def attention_head_findings(checkpoint: Checkpoint, architecture: Architecture) -> list[Finding]:
    """Attention splits the hidden vector among the heads, so their number must divide its size."""
    hidden_size, heads = architecture.dimensions.hidden_size, architecture.dimensions.num_attention_heads
    size_key = architecture.config_key("hidden_size")
    if "true_hidden_size" in architecture.values:  # MobileBERT's attention works in a bottleneck.
        hidden_size, size_key = architecture.number("true_hidden_size"), "true_hidden_size"
    if heads is None or hidden_size % heads == 0 or any(key in architecture.values for key in _FREE_HEADS):
        return []
    key = architecture.config_key("num_attention_heads")
    expected = f"a divisor of {hidden_size}"
    stands = says(checkpoint, architecture, "num_attention_heads", heads)
    message = f"{key}: {stands}, expected {expected}, its {size_key}"
    hint = f"Restore {key} from the original checkpoint; weights do not tell it."
    where = f"config.json {key}"
    return [Finding("heads-do-not-divide", "error", message, hint, where=where, expected=expected, actual=heads)]


def stated(architecture: Architecture, symbol: str) -> object:
    """Value that config.json, or the family's default, gives a dimension or another key."""
    value = getattr(architecture.dimensions, symbol, None)
    return architecture.values.get(symbol) if value is None else value


def _fixed(checkpoint: Checkpoint, architecture: Architecture, fixes: Mapping[str, int]) -> Architecture:
    """What config.json would describe with other values; what it does, where no model can have these."""
    try:
        return resolve({**checkpoint.config, **fixes}, checkpoint.config_path)
    except CheckpointError:
        return architecture  # The names or sizes of the tensors are nonsense: config.json is not to blame.


def _votes(architecture: Architecture, stored: Mapping[str, Shape]) -> dict[str, Counter[int]]:
    dormant = _dormant_tensors(architecture)
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    for name, shape in stored.items():
        symbols = architecture.symbols(name) or dormant.get(name, ())
        if len(symbols) != len(shape):
            continue
        held = set()
        for symbol, size in zip(symbols, shape, strict=True):
            product = re.fullmatch(r"(?:(\d+)\*)?([a-z]\w*)", symbol)
            factor = int(product[1] or 1) if product else 1
            if product and size and size % factor == 0:
                held.add((product[2], size // factor))
        # A tensor has one vote, however many of its axes say the same.
        for symbol, size in held:
            votes[symbol][size] += 1
    return votes


def _dormant_tensors(architecture: Architecture) -> dict[str, tuple[str, ...]]:
    """Shapes of tensors that are not expected only because of a dimension, which may be the very one to blame."""
    if architecture.family is None:
        return {}
    return {
        name: tuple(map(str, symbols))
        for row in architecture.family.conditionals
        if all(set(condition.split(" != ")) <= _DIMENSIONS for condition in row.when)
        for name, symbols in row.tensors.items()
    }


def _winner(count: Counter[int], says: object) -> int:
    return max(count, key=lambda size: (count[size], size == says))
