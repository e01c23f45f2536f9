"""What the rules looked at, and what they did not: a verdict speaks of no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.checkpoint.quantization import read_quantization
from bertshape.soundness.heads import declared_head
from bertshape.soundness.identity import declared_classes
from bertshape.soundness.weights import stored_backbone
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer


@dataclass(frozen=True)
class Coverage:
    """What a verdict is of.

    Attributes:
        seen: What was looked at, in words.
        unseen: What was not, in words, with the reason or with what looks at it.
    """

    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


Part = tuple[bool, str]


def coverage(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer | None, *, values: bool, run: bool
) -> Coverage:
    """What of a checkpoint `check` looks at.

    Args:
        checkpoint: The checkpoint.
        architecture: What its config.json describes.
        tokenizer: Its tokenizer; None where it cannot be read.
        values: Whether all stored numbers are read.
        run: Whether the model is run.
    """
    parts = [
        (True, "config.json"),
        *_weights(checkpoint, architecture, values=values),
        *_head(checkpoint, architecture),
        _tokenizer(tokenizer),
        *_chain(checkpoint),
        *([(False, "its own code (auto_map)")] if checkpoint.config.get("auto_map") else []),
        (run, "a run" if run else "a run (--run)"),
    ]
    return Coverage(tuple(what for seen, what in parts if seen), tuple(what for seen, what in parts if not seen))


def _weights(checkpoint: Checkpoint, architecture: Architecture, *, values: bool) -> Iterator[Part]:
    if checkpoint.weights_error is not None:
        yield False, "weights (they cannot be read)"
        return
    if checkpoint.headers is None:
        why = f"{checkpoint.pickles[0]} is a pickle" if checkpoint.pickles else "there are none"
        yield False, f"weights ({why})"
        return
    quantization = read_quantization(checkpoint)
    stored = stored_backbone(checkpoint, architecture)
    if stored is None or (quantization is not None and not quantization.known):
        yield False, "names and shapes of the weights (no table of them)"
    else:
        # Under names with a prefix none is the backbone's, and the rules look at what they would be without it.
        yield True, f"names and shapes of {counted(len(stored or checkpoint.headers.tensors), 'backbone tensor')}"
    yield values, "values" if values else "values (--values)"


def _head(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Part]:
    family, classes = architecture.family, declared_classes(checkpoint)
    head = declared_head(checkpoint, architecture)
    if head is not None:
        yield checkpoint.headers is not None, f"the head of {head.model_class}"
    elif classes and not (family is not None and any(map(family.has_class, classes))):
        yield False, f"the head of {classes[0]} (no table of it)"


def _tokenizer(tokenizer: LoadedTokenizer | None) -> Part:
    if tokenizer is None:
        return False, "the tokenizer (it cannot be read)"
    if tokenizer.not_asked:
        return False, f"the tokenizer's own class ({tokenizer.file} was encoded with in its place)"
    return True, "the tokenizer"


def _chain(checkpoint: Checkpoint) -> Iterator[Part]:
    recipe = checkpoint.recipe
    if recipe.error is not None:
        yield False, "the steps of modules.json (they cannot be read)"
    if not (recipe.has_chain and recipe.declared):
        return
    odd = next((step for step in recipe.steps if step.problem), None)
    if odd is None:
        yield True, "the steps of modules.json"
    else:
        yield False, f"the steps of modules.json from {odd.name} on"
