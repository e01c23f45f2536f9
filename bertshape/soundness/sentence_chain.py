"""The sentence-transformers chain: every step must take what the one before it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.byte_source import FileSource
from bertshape.checkpoint.checkpoint import steps_without_weights
from bertshape.checkpoint.read_weights import PICKLES, pickle_headers
from bertshape.checkpoint.safetensors import read_header
from bertshape.checkpoint.steps import SENTENCE
from bertshape.checkpoint.weights import SINGLE_FILE
from bertshape.errors import CheckpointError
from bertshape.files import exists
from bertshape.report.finding import Finding
from bertshape.soundness.recipe import recipe_findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.steps import Module
    from bertshape.predict.architecture import Architecture

_FIELDS = {"Pooling": "embedding_dimension", "Dense": "in_features", "LayerNorm": "dimension"}
_RESTORE = "Restore the sentence-transformers folders from the original checkpoint."


def sentence_findings(checkpoint: Checkpoint, architecture: Architecture) -> list[Finding]:
    """Follow the size of the vector from step to step.

    Args:
        checkpoint: The checkpoint.
        architecture: Its hidden_size is what the transformer gives.
    """
    recipe = checkpoint.recipe
    if recipe.error is not None:
        return [_unreadable(recipe.error)]
    findings = recipe_findings(checkpoint)
    sizes: dict[str, tuple[int, str]] = {}
    for step in recipe.steps if recipe.declared else ():
        if step.missing_file is not None:
            findings.append(_undescribed(step, step.missing_file))
        if step.refused:
            findings.append(_refused(step))
        if step.problem is not None:
            sizes.clear()  # It may change any size, and does not say to what.
        elif step.name == "Transformer":
            key = architecture.config_key("hidden_size")
            if step.output[0] != "pooler_output":
                sizes[step.gives] = architecture.dimensions.hidden_size, f"config.json {key}"
        elif step.name not in _FIELDS:
            if step.takes in sizes:
                sizes[step.gives] = sizes[step.takes]
        else:
            size, giver = sizes.get(step.takes, (None, ""))
            findings += _input(step, size, giver)
            findings += _stored(checkpoint, step)
            parts = step.pooling.count("+") + 1 if step.name == "Pooling" else 1
            sizes.pop(step.gives, None)
            given = step.given_size or (size * parts if size else None)
            if given is not None:
                sizes[step.gives] = given, f"{step.path}/config.json"
    followed = recipe.declared and recipe.has_chain and not any(step.problem for step in recipe.steps)
    if followed and not any(step.gives == SENTENCE for step in recipe.steps):
        findings.append(_no_vector())
    return findings


def _no_vector() -> Finding:
    return Finding(
        "sentence-embedding-missing",
        "error",
        "no step of modules.json gives sentence_embedding, which encode() returns: it fails with a KeyError; AutoModel "
        "loads the folder",
        "Add the Pooling step that the model was trained with to modules.json.",
        where="modules.json",
        expected="a Pooling step",
        actual="none",
    )


def _unreadable(error: CheckpointError) -> Finding:
    message = f"{error.message}; SentenceTransformer cannot load this folder, AutoModel can"
    return Finding(error.code, "error", message, error.hint, where="modules.json")


def _undescribed(step: Module, file: str) -> Finding:
    """Only sentence-transformers needs the files of the steps after the model."""
    return Finding(
        "step-config-missing",
        "error",
        f"{file} is missing, which the step {step.name} of modules.json needs: SentenceTransformer cannot load this "
        "folder, AutoModel can",
        f"Add {file}, or remove the step from modules.json.",
        where=file,
        expected="a file",
        actual="none",
    )


def _refused(step: Module) -> Finding:
    return Finding(
        "step-refused",
        "error",
        f"{step.problem}: it cannot load this folder, AutoModel can",
        "Correct the file that is named, or save the folder again with sentence-transformers.",
        where=(step.problem or "").split(" has ")[0],
    )


def _input(step: Module, size: int | None, giver: str) -> Iterator[Finding]:
    if size is None or step.input_dimension in (None, size):
        return
    field = _FIELDS[step.name]
    yield Finding(
        "embedding-dimension-mismatch",
        "error",
        f"{field}: {step.path}/config.json says {step.input_dimension}, the step before it gives {size} ({giver})",
        _RESTORE,
        where=f"{step.path}/config.json {field}",
        expected=size,
        actual=step.input_dimension,
    )


def _stored(checkpoint: Checkpoint, step: Module) -> Iterator[Finding]:
    """The step's own weights, where they lie beside its config.json, against the sizes that it says."""
    if step.path in steps_without_weights(checkpoint):
        yield Finding(
            "step-weights-missing",
            "error",
            f"{step.path} holds no weights for its {step.name}: neither {SINGLE_FILE} nor {PICKLES[0]}",
            _RESTORE,
            where=step.path,
            expected="weights",
            actual="none",
        )
    folder = checkpoint.location.folder / step.path
    file = next((name for name in (SINGLE_FILE, PICKLES[0]) if exists(folder / name)), None)
    expected = step.weight_shapes
    if file is None or not expected:
        return
    name = f"{step.path}/{file}"
    try:
        held = _held(folder, file, name)
    except CheckpointError as error:
        yield Finding(error.code, "error", error.message, error.hint, where=name)
        return
    odd = [key for key in expected | held if expected.get(key) != held.get(key)] if held is not None else []
    if not odd or held is None:
        return
    wanted, found = (str(list(sizes[odd[0]])) if odd[0] in sizes else "nothing" for sizes in (expected, held))
    more = f", and so on with {len(odd) - 1} more" if len(odd) > 1 else ""
    yield Finding(
        "embedding-dimension-mismatch",
        "error",
        f"{odd[0]}: expected {wanted} by {step.path}/config.json, {name} holds {found}{more}; SentenceTransformer "
        "cannot load it",
        _RESTORE,
        where=f"{name} {odd[0]}",
        expected=wanted,
        actual=found,
    )


def _held(folder: Path, file: str, name: str) -> dict[str, tuple[int, ...]] | None:
    """Shapes of what a step stores; None where its pickle cannot be followed."""
    if file == SINGLE_FILE:
        return {key: tensor.shape for key, tensor in read_header(FileSource(folder / file, name)).tensors.items()}
    headers = pickle_headers(folder, (file,))
    return None if headers is None else {key: tensor.shape for key, tensor in headers.tensors.items()}
