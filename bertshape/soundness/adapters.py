"""Adapters of peft: inside of the weights, where they were not merged, and beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.files import exists, read_json_object
from bertshape.report.finding import Finding
from bertshape.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint

_ADDED = re.compile(r"\.(lora_(A|B|magnitude_vector|embedding_[AB])|original_module)\b|\.(hada|lokr)_\w+|\.ia3_\w+")
_WRAPPED = re.compile(r"\.base_layer(?=\.)|\.modules_to_save\.[^.]+(?=\.)")
_PREFIX = "base_model.model."
_FILE = "adapter_config.json"


def unmerged(checkpoint: Checkpoint) -> bool:
    """Whether the stored names are those of a peft model around the model."""
    names = checkpoint.headers.tensors if checkpoint.headers else {}
    return any(_WRAPPED.search(name) for name in names)


def without_adapter(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with the tensors that the adapter was put around, by their own names."""
    headers = checkpoint.headers
    if headers is None:
        return checkpoint
    own = {
        _WRAPPED.sub("", name).removeprefix(_PREFIX): row
        for name, row in headers.tensors.items()
        if not _ADDED.search(name)
    }
    tensors = {name: replace(row, name=name) for name, row in own.items()}
    return replace(checkpoint, headers=replace(headers, tensors=tensors))


def unmerged_finding(checkpoint: Checkpoint) -> Finding:
    """What transformers makes of the names, and how to merge."""
    names = [*checkpoint.headers.tensors] if checkpoint.headers else []
    wrapped = [name for name in names if _WRAPPED.search(name)]
    return Finding(
        "adapter-not-merged",
        "error",
        f"{len(wrapped)} of {len(names)} stored names are those that peft gives a model with its adapter, which was "
        f"not merged: {listed(wrapped)}; transformers looks for them by their own names, and would fill them with "
        "random numbers",
        "Merge it where it was trained, and save again: model.merge_and_unload().save_pretrained(FOLDER).",
        where=wrapped[0],
        expected=_WRAPPED.sub("", wrapped[0]).removeprefix(_PREFIX),
        actual=wrapped[0],
    )


def adapter_beside_finding(checkpoint: Checkpoint) -> Iterator[Finding]:
    """An adapter_config.json beside whole weights: with peft, the libraries load another model than these weights."""
    if checkpoint.location.source != "directory" or checkpoint.headers is None or not exists(checkpoint.folder / _FILE):
        return
    base = read_json_object(checkpoint.folder / _FILE).get("base_model_name_or_path")
    named = str(base)[:100] if base else "its base model"
    yield Finding(
        "adapter-beside",
        "warning",
        f"{_FILE} lies beside whole weights: with peft installed, AutoModel and SentenceTransformer load {named} and "
        "put the adapter on it, and without peft SentenceTransformer fails; shown are the weights in the folder",
        f"If the adapter is merged into these weights, move {_FILE} away; else pass {named}.",
        where=_FILE,
        expected="none",
        actual=named,
    )
