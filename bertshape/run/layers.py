"""The shapes inside a model, seen by hooks while it runs."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.predict.layers import fold, split_heads
from bertshape.report.layer import Layer
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, NUM_ATTENTION_HEADS, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import torch

    from bertshape.predict.architecture import Architecture


@dataclass
class Seen:
    """What the hook of one part saw.

    Attributes:
        sizes: Sizes of what it gave; None where it gave no tensor.
        dtype: Dtype of what it gave.
        calls: How often it was called.
        turn: Number of its first call among the calls of all parts; None where it was never called.
    """

    sizes: tuple[int, ...] | None = None
    dtype: str = ""
    calls: int = 0
    turn: int | None = None


@contextmanager
def watch(model: torch.nn.Module) -> Iterator[dict[str, Seen]]:
    """Look at what every part of a model gives, inside the block.

    Yields:
        What was seen, by the dotted name of the part; filled while the model runs.
    """
    seen = {name: Seen() for name, _ in model.named_modules()}
    turns = itertools.count()

    def hook(name: str) -> Any:
        def look(_module: Any, _inputs: Any, output: Any) -> None:
            tensor = _first_tensor(output)
            seen[name].calls += 1
            if seen[name].turn is None:
                seen[name].turn = next(turns)
            if tensor is not None:
                seen[name].sizes, seen[name].dtype = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")

        return look

    handles = [module.register_forward_hook(hook(name)) for name, module in model.named_modules()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def describe(
    model: torch.nn.Module, seen: dict[str, Seen], architecture: Architecture, batch_size: int, sequence_length: int
) -> Layer:
    """The tree of a model's parts, in the order in which they ran; parts without parameters are left out.

    Args:
        model: The model that ran.
        seen: What `watch` saw.
        architecture: For the names of axes.
        batch_size: Rows of the batch.
        sequence_length: Positions of a row.
    """
    family = architecture.family
    wrapper = _wrapper(model, architecture)
    # The names of the table begin inside the wrapper.
    seen = {path.removeprefix(wrapper): was for path, was in seen.items()}
    names, first = _AxisNames(architecture, batch_size, sequence_length), _first_turns(seen)

    def grow(module: torch.nn.Module, name: str, path: str) -> Layer:
        prefix, holder = (f"{path}.", module) if path else ("", model.get_submodule(wrapper.rstrip(".")))
        parts = {key: child for key, child in holder.named_children() if any(True for _ in child.parameters())}
        known = parts if family is None else family.as_run(path, parts)
        children = [grow(parts[key], key, prefix + key) for key in _as_run(known, prefix, first)]
        was = seen[path]
        shape = None if was.sizes is None else TensorShape(names.of(path, was.sizes), was.sizes, was.dtype)
        heads = split_heads(name, shape, architecture)
        kind = type(module).__name__
        parameters = sum(parameter.numel() for parameter in module.parameters())
        return Layer(name or kind, kind, 1, was.calls, shape, heads, parameters, fold(children), "observed")

    return grow(model, "", "")


def _wrapper(model: torch.nn.Module, architecture: Architecture) -> str:
    """What stands before the names of the table in those of the model: DPR's classes hold one part, the encoder."""
    prefixes = architecture.family.class_prefixes.values() if architecture.family else ()
    return next((prefix for prefix in prefixes if hasattr(model, prefix.rstrip("."))), "")


def _first_turns(seen: Mapping[str, Seen]) -> dict[str, int]:
    """When each part ran first: the turn of the first call that ended in it, for a list of layers is never called."""
    first: dict[str, int] = {}
    for path, was in seen.items():
        while was.turn is not None and path:
            first[path] = min(was.turn, first.get(path, was.turn))
            path = path.rpartition(".")[0]
    return first


def _as_run(names: Iterable[str], prefix: str, first: Mapping[str, int]) -> list[str]:
    """The parts of a part in the order in which they ran; one that never ran stays behind the one defined before it."""
    turns, turn = {}, -1
    for name in names:
        turns[name] = turn = first.get(prefix + name, turn)
    return sorted(turns, key=turns.__getitem__)


class _AxisNames:
    """Names for the axes of a tensor that a part gave: by its place, by its part's own matrix, by its size."""

    def __init__(self, architecture: Architecture, batch_size: int, sequence_length: int) -> None:
        self._architecture, self._expected = architecture, architecture.expected_tensors() or {}
        self._batch_size, self._sequence_length = batch_size, sequence_length
        dimensions = architecture.dimensions
        known = {
            HIDDEN_SIZE: dimensions.hidden_size,
            "intermediate_size": dimensions.intermediate_size,
            "embedding_size": dimensions.embedding_size,
            NUM_ATTENTION_HEADS: dimensions.num_attention_heads,
            "vocab_size": dimensions.vocab_size,
        }
        self._by_size = {size: name for name, size in reversed(known.items()) if size is not None}

    def of(self, path: str, sizes: tuple[int, ...]) -> tuple[str, ...]:
        """One name for each axis."""
        names = []
        for index, size in enumerate(sizes):
            if index == len(sizes) - 1 and index:
                names.append(self._last(path, size))
            elif index == 0 and size == self._batch_size:
                names.append(BATCH_SIZE)
            elif size == self._sequence_length:
                names.append(SEQUENCE_LENGTH)
            else:
                # Tables of positions give one row for all texts.
                names.append("broadcast" if size == 1 else f"axis_{index}")
        return tuple(names)

    def _last(self, path: str, size: int) -> str:
        matrix = f"{path}.weight"
        pairs = zip(self._architecture.symbols(matrix), self._expected.get(matrix, ()), strict=True)
        matching = [symbol for symbol, own_size in pairs if own_size == size]
        return matching[0] if matching else self._by_size.get(size, "features")


def _first_tensor(output: Any) -> torch.Tensor | None:
    if hasattr(output, "shape") and hasattr(output, "dtype"):
        return output  # type: ignore[no-any-return]
    values = output.values() if hasattr(output, "values") else output if isinstance(output, tuple | list) else ()
    # I-BERT's parts give pairs of a tensor and its scale.
    return next((found for value in values if (found := _first_tensor(value)) is not None), None)
