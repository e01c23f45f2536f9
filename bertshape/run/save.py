"""Tensors of a run into a file that other tools read: safetensors, or NumPy's npz."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy
from safetensors.torch import save as serialize

from bertshape.errors import UsageError
from bertshape.files import written_whole
from bertshape.run.arrays import ABOUT, as_numpy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from bertshape.run.request import Saving
    from bertshape.run.sentence_chain import Followed


def save(saving: Saving, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors, the whole file or none.

    bfloat16, which NumPy lacks, becomes float32 in an npz file: every bfloat16 number is one.

    Args:
        saving: Where, and which.
        tensors: By the name that they get in the file.

    Raises:
        UsageError: No name fits the patterns.
        OutputError: The file cannot be written.
    """
    chosen = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in tensors.items()
        if not saving.only or any(fnmatch.fnmatchcase(name, pattern) for pattern in saving.only)
    }
    if not chosen:
        hint = f"There are: {', '.join(tensors)}."
        message = f"no tensor is named {' or '.join(saving.only)}"
        raise UsageError(message, hint=hint, code="save-nothing")
    write = _write_npz if saving.path.suffix == ".npz" else _write_safetensors
    with written_whole(saving.path) as file:
        write(file, chosen, saving.about)


def name_tensors(
    inputs: Mapping[str, torch.Tensor],
    outputs: Mapping[str, Any],
    pooled: Mapping[str, torch.Tensor],
    followed: Followed,
    logits: Mapping[str, torch.Tensor],
    *,
    saving: Saving,
) -> dict[str, torch.Tensor]:
    """All tensors of a run by the names that they get in a file.

    Inputs and outputs keep their names; vectors are `pooled.NAME`, the end of the chain is `sentence_embedding`, what
    heads give is `TASK.logits`, and each of several tensors `hidden_states.0`, `attentions.0` and so on.
    """
    named = dict(inputs)
    for name, value in outputs.items():
        if not isinstance(value, tuple):
            named[name] = value
        elif name != "hidden_states" or saving.hidden_states:
            named |= {f"{name}.{index}": tensor for index, tensor in enumerate(value)}
    named |= {f"pooled.{name}": tensor for name, tensor in pooled.items()}
    if followed.embedding is not None:
        named["sentence_embedding"] = followed.embedding
    return named | dict(logits)


def _write_safetensors(file: BinaryIO, tensors: Mapping[str, torch.Tensor], about: Mapping[str, str]) -> None:
    # Tensors that share memory, such as last_hidden_state and the last hidden state, are refused: each gets its own.
    file.write(serialize({name: tensor.clone() for name, tensor in tensors.items()}, metadata=dict(about)))


def _write_npz(file: BinaryIO, tensors: Mapping[str, torch.Tensor], about: Mapping[str, str]) -> None:
    arrays = {name: as_numpy(tensor) for name, tensor in tensors.items()}
    arrays[ABOUT] = numpy.array(json.dumps(dict(about)))
    numpy.savez(file, **arrays)
