"""Edits of a checkpoint's files, and what the rules find afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.predict.config import resolve
from bertshape.soundness.soundness import check_soundness
from bertshape.tokens.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from bertshape.report.finding import Finding

Tiny = Callable[[str], Path]
Edit = Callable[[Path], None]
State = dict[str, torch.Tensor]


def findings(model: Path | str) -> list[Finding]:
    checkpoint = open_checkpoint(str(model))
    architecture = resolve(checkpoint.config, checkpoint.config_path)
    tokenized = (checkpoint.tokenizer_folder / "tokenizer.json").exists()
    found = check_soundness(checkpoint, architecture, load_tokenizer(checkpoint) if tokenized else None)
    # Every model made here has these notes, and they have tests of their own: test_encode.py, test_auto_tokenizer.py.
    return [finding for finding in found if finding.code not in ("pooling-undeclared", "token-type-ids-not-made")]


def alarms(model: Path | str) -> list[Finding]:
    return [finding for finding in findings(model) if finding.severity != "note"]


def settings(file: str, **values: object) -> Edit:
    """Edit that sets fields of a JSON file."""

    def edit(folder: Path) -> None:
        path = folder / file
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return edit


def tensors(change: Callable[[State], State], file: str = "model.safetensors") -> Edit:
    """Edit that stores other tensors."""

    def edit(folder: Path) -> None:
        state = change(load_file(folder / file))
        (folder / file).unlink()
        save_file(state, folder / file, metadata={"format": "pt"})

    return edit


def without(part: str) -> Edit:
    return tensors(lambda state: {name: tensor for name, tensor in state.items() if part not in name})


def added(name: str, *shape: int, file: str = "model.safetensors") -> Edit:
    """Edit that adds a tensor, or puts it in the place of the one of this name."""
    return tensors(lambda state: state | {name: torch.zeros(shape)}, file)


def renamed(rename: Callable[[str], str]) -> Edit:
    return tensors(lambda state: {rename(name): tensor for name, tensor in state.items()})


def tokenizer(change: Callable[[Any], Any]) -> Edit:
    """Edit that changes the tokenizer; what `change` returns goes in its place, unless it is None."""

    def edit(folder: Path) -> None:
        from tokenizers import Tokenizer

        backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
        (change(backend) or backend).save(str(folder / "tokenizer.json"))

    return edit


def old_names(name: str) -> str:
    """The name of a tensor as the first BERT releases have it."""
    for new, old in (("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")):
        name = name.removesuffix(new) + old if name.endswith(new) else name
    return f"bert.{name}"
