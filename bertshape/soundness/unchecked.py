"""What could not be checked, or is not there: silence must not be taken for approval."""

from __future__ import annotations

import shlex
from itertools import islice
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import weights_in_other_formats
from bertshape.files import is_pointer
from bertshape.predict.family import family_names, family_of_class, load_family
from bertshape.predict.from_headers import read_headers
from bertshape.predict.tensor_names import recognised
from bertshape.report.finding import Finding
from bertshape.soundness.identity import declared_classes
from bertshape.tokens.resolve import has_model_type
from bertshape.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

_ASKED = 1_000
"""Names that tell a family."""


def unchecked_findings(checkpoint: Checkpoint, architecture: Architecture, weights_needed: bool) -> Iterator[Finding]:
    """Weights that are absent or cannot be read, and families without a table.

    Args:
        checkpoint: The checkpoint.
        architecture: What its config.json describes.
        weights_needed: Whether a checkpoint without weights is unsound; not for a prediction alone.
    """
    error = checkpoint.weights_error
    if error is not None:
        # The weights are all that cannot be read: the rest of the report stands.
        yield Finding(error.code, "error", error.message, error.hint, where=checkpoint.name)
    elif architecture.family is None and _is_unknown(checkpoint, architecture):
        yield _unknown_type(checkpoint, architecture)
        yield from _header_findings(checkpoint, architecture)
    elif architecture.family is None:
        given = (
            "; last_hidden_state is its decoder's, of the tokens moved by one"
            if architecture.decodes_an_encoder
            else ""
        )
        yield Finding(
            "family-unknown",
            "note",
            f"model_type: {checkpoint.config_path} says {architecture.model_type}, which bertshape has no table of: "
            f"names and shapes of the weights were not checked{given}",
            where="config.json model_type",
            actual=architecture.model_type,
        )
        yield from _header_findings(checkpoint, architecture)
    elif weights_needed and not checkpoint.has_weights and _should_have_weights(checkpoint):
        yield _missing(checkpoint)
    elif checkpoint.headers is None:
        other = None if checkpoint.pickles else weights_in_other_formats(checkpoint)
        if other is not None:
            yield Finding(other.code, "note", other.message, other.hint, where=checkpoint.name)
            return
        what = f"{checkpoint.pickles[0]} is a pickle" if checkpoint.pickles else "there are none"
        hint = "Save them as safetensors, or run the model." if checkpoint.pickles else ""
        yield Finding("weights-not-checked", "note", f"names and shapes of the weights were not checked: {what}", hint)


def _likely(checkpoint: Checkpoint) -> list[str]:
    """Model types that the declared class, or else the names of the tensors, may be of."""
    families = [family for name in declared_classes(checkpoint) if (family := family_of_class(name))]
    names = dict(islice(checkpoint.headers.tensors.items(), _ASKED)) if checkpoint.headers else {}
    if families or not names:
        return [*dict.fromkeys(family.model_type for family in families)]
    counts = {name: recognised(names, family) for name in family_names() if (family := load_family(name))}
    best = max(counts.values())
    return [name for name, count in counts.items() if count == best and 2 * best > len(names)]


def _unknown_type(checkpoint: Checkpoint, architecture: Architecture) -> Finding:
    likely = _likely(checkpoint)
    named = f"; its class or its tensors are those of {' or '.join(likely)}" if likely else ""
    return Finding(
        "model-type-unknown",
        "error",
        f"model_type: {checkpoint.config_path} says {architecture.model_type!r}, which the installed transformers "
        f"does not have: it cannot load this folder{named}",
        f'Write "model_type": "{likely[0]}" in config.json.'
        if len(likely) == 1
        else "Restore model_type, or install the version of transformers that has it.",
        where="config.json model_type",
        expected=" or ".join(likely) or "a model type of transformers",
        actual=architecture.model_type,
    )


def _is_unknown(checkpoint: Checkpoint, architecture: Architecture) -> bool:
    """Whether transformers itself refuses the model type, and no code of the checkpoint's own has it."""
    return "auto_map" not in checkpoint.config and has_model_type(architecture.model_type) is False


def _header_findings(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Finding]:
    """Sizes that the headers show whatever the model is: its table of tokens, and its layers."""
    if checkpoint.headers is None or not checkpoint.headers.tensors:
        return
    held, sizes = read_headers(checkpoint.headers.tensors), architecture.dimensions
    pairs = (
        # Rows are often rounded up, and columns may be those of a smaller embedding.
        ("vocab_size", held.rows, held.rows is not None and (sizes.vocab_size or 0) > held.rows),
        (
            "hidden_size",
            held.embedding_size,
            held.embedding_size not in (None, sizes.hidden_size, sizes.embedding_size),
        ),
        ("num_hidden_layers", held.layers, held.layers not in (None, sizes.num_hidden_layers)),
    )
    for dimension, size, differs in pairs:
        if differs:
            key, stands = architecture.config_key(dimension), getattr(sizes, dimension)
            yield Finding(
                "layers-mismatch" if dimension == "num_hidden_layers" else "dimension-mismatch",
                "warning",
                f"{key}: {checkpoint.config_path} says {stands}, the names and shapes of the weights show {size}",
                "Check that config.json and the weights belong together.",
                where=f"config.json {key}",
                expected=size,
                actual=stands,
            )


def pointer_findings(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Git LFS pointers in the place of files that nothing here reads, and other tools may: vocab.txt, other formats."""
    if checkpoint.location.snapshot is not None or checkpoint.location.source != "directory":
        return
    folder = checkpoint.folder
    errors = (checkpoint.weights_error, checkpoint.recipe.error, checkpoint.tokenizer_files.error)
    said = " ".join(["tokenizer.json", *(error.message for error in errors if error is not None)])
    names = [path.name for path in sorted(folder.iterdir())]
    pointers = [name for name in names if is_pointer(folder / name) and name not in said]
    if pointers:
        yield Finding(
            "git-lfs-pointer",
            "warning",
            f"{checkpoint.name}: {listed(pointers)} {'are' if len(pointers) > 1 else 'is'} not the file itself but a "
            "Git LFS pointer: the clone was made without Git LFS",
            f"Fetch the files: git -C {shlex.quote(str(folder))} lfs pull",
            where=pointers[0],
            expected="the file",
            actual="a pointer",
        )


def _missing(checkpoint: Checkpoint) -> Finding:
    other = weights_in_other_formats(checkpoint)
    message = f"{checkpoint.name} holds no weights: neither model.safetensors nor pytorch_model.bin"
    return Finding(
        other.code if other else "weights-missing",
        "error",
        other.message if other else message,
        other.hint if other else "Copy the weight files into the folder.",
        where=checkpoint.name,
        expected="weights",
        actual="none",
    )


def _should_have_weights(checkpoint: Checkpoint) -> bool:
    """Embedded checkpoints have none, and a cache may lack what the Hub has."""
    snapshot = checkpoint.location.snapshot
    return checkpoint.location.source == "directory" or (snapshot is not None and snapshot.online)
