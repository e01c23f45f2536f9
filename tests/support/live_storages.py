"""Count the bytes of live tensors while a model runs: what an allocator would have handed out, without its rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.tools.make_family import build_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Mode = Literal["inference", "hidden_states", "attentions", "training", "checkpointing"]


@dataclass(frozen=True)
class Storage:
    """A piece of memory that some tensors share.

    Attributes:
        elements: How many elements it holds.
        itemsize: Bytes of an element.
        is_floating: Whether these are floating-point numbers.
    """

    elements: int
    itemsize: int
    is_floating: bool

    @property
    def bytes(self) -> int:
        """Bytes of all of it."""
        return self.elements * self.itemsize


class LiveStorages(TorchDispatchMode):
    """Follows each storage that operations make, until nothing refers to it any more.

    What an operation takes inside and gives back before it ends is not seen.
    """

    def __init__(self, known: Iterable[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {tensor.untyped_storage()._cdata for tensor in known}
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}
        self.storages: list[Storage] = []
        self.states: list[frozenset[int]] = []
        """Which storages lived, by their number, after each operation that made one."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, and look at what lives then."""
        given = func(*args, **(kwargs or {}))
        for key in [key for key, (reference, _) in self._live.items() if reference.expired()]:
            del self._live[key]
        count = len(self.storages)
        for tensor in tree_leaves(given):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor)
        if len(self.storages) > count:
            self.states.append(frozenset(number for _, number in self._live.values()))
        return given

    def _add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.nbytes() and storage._cdata not in self._known and storage._cdata not in self._live:
            self._live[storage._cdata] = (StorageWeakRef(storage), len(self.storages))
            size = tensor.dtype.itemsize
            self.storages.append(Storage(storage.nbytes() // size, size, tensor.dtype.is_floating_point))

    def number_of(self, tensor: torch.Tensor) -> int | None:
        """The number of the storage of a tensor that lives; None where no operation made it."""
        entry = self._live.get(tensor.untyped_storage()._cdata)
        return entry and entry[1]

    def bytes(self, state: Iterable[int]) -> int:
        """Bytes of the storages of a state."""
        return sum(self.storages[number].bytes for number in state)


@dataclass(frozen=True)
class Counted:
    """What lived besides weights, gradients of weights and inputs.

    Attributes:
        storages: Every storage that was made.
        states: Which of them lived, by their number, at each moment that may be the peak.
        peak: Bytes at the peak.
    """

    storages: Sequence[Storage]
    states: Sequence[frozenset[int]]
    peak: int


def build(config: Any, attention: str, dtype: torch.dtype) -> Any:
    """A model with random weights."""
    torch.manual_seed(0)
    return build_model(config, attn_implementation=attention, dtype=dtype)


def inputs_of(config: Any, batch_size: int, length: int, padding: int = 1) -> dict[str, torch.Tensor]:
    """A batch in which all rows but the first have some padding, as batches of texts do; a single row has some too."""
    input_ids = torch.randint(5, 90, (batch_size, length))
    mask = torch.ones_like(input_ids)
    mask[min(1, batch_size - 1) :, length - padding :] = 0
    input_ids[mask == 0] = config.pad_token_id or 0
    return {"input_ids": input_ids, "attention_mask": mask}


def count(model: Any, inputs: Mapping[str, torch.Tensor], mode: Mode = "inference") -> Counted:
    """Run a model, forward and in training backward too, and count what lives at each moment.

    Args:
        model: The model.
        inputs: What it is called with.
        mode: Inference, with outputs kept or without; or training, with gradient checkpointing or without.
    """
    live = LiveStorages([*model.parameters(), *model.buffers(), *inputs.values()])
    if mode in ("training", "checkpointing"):
        gradients = _train(model, inputs, live, checkpointing=mode == "checkpointing")
    else:
        gradients = set()
        kept = {} if mode == "inference" else {f"output_{mode}": True}
        with live, torch.no_grad():
            model.eval()(**inputs, **kept)
    states = [state - gradients for state in live.states]
    return Counted(live.storages, states, max(map(live.bytes, states)))


def count_step(model: Any, inputs: Mapping[str, torch.Tensor], *, checkpointing: bool = False) -> int:
    """Bytes of all tensors at the peak of a step of training with AdamW, the second one: weights, states and all else.

    Args:
        model: The model.
        inputs: What it is called with.
        checkpointing: Whether activations are computed anew in the backward pass.
    """
    # On a GPU all weights of a dtype are updated together, which takes more memory and less time.
    optimizer = torch.optim.AdamW(model.parameters(), foreach=True)
    for _ in range(2):
        optimizer.zero_grad()
        kept = [
            *model.parameters(),
            *(state for all_states in optimizer.state.values() for state in all_states.values()),
        ]
        live = LiveStorages([*kept, *model.buffers(), *inputs.values()])
        _train(model, inputs, live, checkpointing=checkpointing)
        with live:
            optimizer.step()
    always = sum(int(tensor.untyped_storage().nbytes()) for tensor in kept)
    return max(map(live.bytes, live.states)) + always


def _train(model: Any, inputs: Mapping[str, torch.Tensor], live: LiveStorages, *, checkpointing: bool) -> set[int]:
    """One forward and backward pass; returns the storages of the gradients of weights."""
    model.train()
    if checkpointing:
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})
    with mock.patch("torch.nn.functional.dropout", _fused_dropout), live:
        outputs = model(**inputs)
        last = getattr(outputs, "last_hidden_state", None)
        loss = (outputs.pooler_output if last is None else last).mean()
        del outputs, last
        loss.backward()
    return {number for weight in model.parameters() if weight.grad is not None
            and (number := live.number_of(weight.grad)) is not None}  # fmt: skip


def _fused_dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:  # noqa: A002
    """As on a GPU, where dropout keeps a mask of bool; on the CPU it keeps one of floating-point numbers."""
    return torch.native_dropout(input, p, training)[0] if training and p > 0 else input
