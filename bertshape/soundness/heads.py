"""The head that config.json's `architectures` names: whether it is stored, whole and in the right shape; its labels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.predict.heads import Head, head_of_class
from bertshape.predict.labels import named_labels, read_labels
from bertshape.predict.stored_head import StoredHead, read_stored_head
from bertshape.predict.tensor_names import backbone_name, loaded_name
from bertshape.report.finding import Finding
from bertshape.soundness.identity import declared_classes
from bertshape.soundness.rewriting import quoted, rewriting_command
from bertshape.wording import SHOWN, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

_SAVE_AGAIN = "Save the model again, with the config.json of the same run."


def declared_head(checkpoint: Checkpoint, architecture: Architecture) -> Head | None:
    """The head of the class that config.json names; None where that class is the base model, or is not known."""
    heads = (head_of_class(architecture.model_type, name) for name in declared_classes(checkpoint))
    return next((head for head in heads if head is not None), None)


def label_map_findings(checkpoint: Checkpoint) -> Iterator[Finding]:
    """id2label and label2id must be one the inverse of the other: a prediction and a training label go through both."""
    labels = checkpoint.config.get("label2id")
    try:
        named = named_labels(checkpoint.config)
        if not isinstance(checkpoint.config.get("num_labels", 2), int):
            read_labels(
                checkpoint.config
            )  # Of other numbers transformers builds something; of what is none, no config.
    except CheckpointError as error:
        yield Finding(error.code, "error", error.message, error.hint, where="config.json id2label")
        return
    if named is None:
        return
    yield from _odd_numbers(checkpoint, named)
    if not isinstance(labels, dict):
        return
    wrong = [
        f"{name!r} is {labels[name]}, expected {number}"
        for number, name in named.items()
        if name in labels and labels[name] not in (number, str(number)) and list(named.values()).count(name) == 1
    ]
    lacking = [name for name in named.values() if name not in labels]
    extra = [str(name) for name in labels if name not in named.values()]
    if not wrong and not lacking and not extra:
        return
    parts = [*wrong[:SHOWN]]
    parts += [f"it lacks {listed(lacking)}"] if lacking else []
    parts += [f"it has {listed(extra)} that id2label lacks"] if extra else []
    inverse = ", ".join(f'"{name}": {number}' for number, name in list(named.items())[:SHOWN])
    inverse += ", ..." if len(named) > SHOWN else ""
    yield Finding(
        "label-maps-disagree",
        "error" if wrong else "warning",
        f"label2id: {checkpoint.config_path} does not invert its id2label: {'; '.join(parts)}",
        f"Write label2id in config.json as id2label turned around: {{{inverse}}}.",
        where="config.json label2id",
        expected=len(named),
        actual=len(labels),
    )


def _odd_numbers(checkpoint: Checkpoint, named: Mapping[int, str]) -> Iterator[Finding]:
    """A head of n labels gives the numbers from 0 to n - 1, and each must have a name of its own."""
    count = len(named)
    lacking = [str(number) for number in range(count) if number not in named]
    twice = [name for name, times in Counter(named.values()).items() if times > 1]
    if not lacking and not twice:
        return
    what = f"names no label {listed(lacking)}" if lacking else f"gives several numbers the name {listed(twice)}"
    effect = (
        f"a head of {counted(count, 'label')} gives the numbers 0 to {count - 1}"
        if lacking
        else "label2id knows one of them"
    )
    yield Finding(
        "label-numbers",
        "error" if lacking else "warning",
        f"id2label: {checkpoint.config_path} {what}; {effect}",
        f"Number the {count} labels from 0 to {count - 1} in id2label and label2id of config.json, in the order of the "
        "training."
        if lacking
        else "Give each label of id2label a name of its own in config.json, and label2id the same.",
        where="config.json id2label",
        expected=f"numbers 0 to {count - 1}" if lacking else count,
        actual=listed([str(number) for number in named]) if lacking else len(set(named.values())),
    )


def head_findings(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Finding]:
    """Compare the stored head with the one of the class that `architectures` names.

    Args:
        checkpoint: The checkpoint.
        architecture: What fits its backbone.
    """
    if checkpoint.headers is None or architecture.family is None or not architecture.family.has_template:
        return
    classes = declared_classes(checkpoint)
    head = declared_head(checkpoint, architecture)
    if head is not None:
        yield from _compare(checkpoint, architecture, head)
    elif classes and not any(map(architecture.family.has_class, classes)) and not _is_whole(classes, architecture):
        yield Finding(
            "head-not-checked",
            "note",
            f"architectures: {checkpoint.config_path} says {classes[0]}, which bertshape has no table of: "
            "its head was not checked",
            where="config.json architectures",
            actual=classes[0],
        )
        return
    yield from _unexpected(checkpoint, architecture, head)


def _is_whole(classes: list[str], architecture: Architecture) -> bool:
    """Whether config.json names the model that the encoder is a part of."""
    return architecture.family is not None and any(name in architecture.family.whole_classes for name in classes)


def _compare(checkpoint: Checkpoint, architecture: Architecture, head: Head) -> Iterator[Finding]:
    tensors = checkpoint.headers.tensors if checkpoint.headers else {}
    try:
        num_labels = len(read_labels(checkpoint.config)) if head.counts_labels else 0
    except CheckpointError as error:
        yield Finding(error.code, "error", error.message, error.hint, where="config.json id2label")
        return
    stored = read_stored_head(head, architecture, tensors, num_labels)
    if stored.labels not in (None, num_labels):
        yield Finding(
            "labels-mismatch",
            "error",
            f"id2label: {checkpoint.config_path} {_counts_labels(checkpoint, num_labels)}, the stored head of "
            f"{head.model_class} has {stored.labels}",
            f"Give id2label in config.json {counted(stored.labels, 'entry', 'entries')}.",
            where="config.json id2label",
            expected=stored.labels,
            actual=num_labels,
        )
        # What the number of labels explains is not said again as tensors.
        stored = read_stored_head(head, architecture, tensors, stored.labels or 0)
    yield from _missing(checkpoint, architecture, stored)
    yield from _misfits(checkpoint, architecture, stored)


def _counts_labels(checkpoint: Checkpoint, count: int) -> str:
    stated = any(checkpoint.config.get(key) is not None for key in ("id2label", "num_labels"))
    return f"says {counted(count, 'label')}" if stated else f"says nothing of labels, which means {count}"


def _missing(checkpoint: Checkpoint, architecture: Architecture, stored: StoredHead) -> Iterator[Finding]:
    if not stored.missing:
        return
    head, names = stored.head.model_class, listed(stored.missing)
    base = architecture.family.model_class if architecture.family else ""
    if stored.absent:
        # encode() of sentence-transformers reads the backbone alone.
        unused = checkpoint.recipe.has_chain
        yield Finding(
            "head-missing",
            "warning" if unused else "error",
            f"architectures: {checkpoint.config_path} says {head}, the weights hold no head for it ({names}): "
            "its logits would be random",
            f'Write "architectures": ["{base}"] in config.json, or save the model again with its head.',
            where="config.json architectures",
            expected=len(stored.expected),
            actual="none",
        )
        return
    held = len(stored.expected) - len(stored.missing)
    yield Finding(
        "head-incomplete",
        "error",
        f"{head}: the weights lack {counted(len(stored.missing), 'tensor')} of its head: {names}; "
        "random numbers would take their place",
        f"Save the model again: {head}.from_pretrained(...) of the run that trained it, then save_pretrained.",
        where=stored.missing[0],
        expected=len(stored.expected),
        actual=held,
    )


def _misfits(checkpoint: Checkpoint, architecture: Architecture, stored: StoredHead) -> Iterator[Finding]:
    for name in stored.misfits[:SHOWN]:
        wanted, held = stored.expected[name], stored.stored[name]
        rows = stored.head.symbols(architecture)[name][0]
        shorter = rows == "vocab_size" and wanted[1:] == held[1:] and held[0] < wanted[0]
        why = ": the head was not resized with the embedding" if rows == "vocab_size" else ""
        yield Finding(
            "head-mismatch",
            "error",
            f"{name}: expected {list(wanted)} by {checkpoint.config_path}, the weights hold {list(held)}{why}",
            _pad_hint(checkpoint, name, wanted[0] - held[0], len(wanted)) if shorter else _SAVE_AGAIN,
            where=name,
            expected=str(list(wanted)),
            actual=str(list(held)),
        )


def _pad_hint(checkpoint: Checkpoint, name: str, rows: int, axes: int) -> str:
    """A command that adds rows of zeros to a stored tensor: the new tokens then have no say of their own."""
    tensors = checkpoint.headers.tensors if checkpoint.headers else {}
    stored = quoted(next((key for key in tensors if key.endswith(name)), name))
    padding = f"(0, {rows})" if axes == 1 else f"(0, 0, 0, {rows})"
    change = f"w[{stored}] = torch.nn.functional.pad(w[{stored}], {padding})"
    return f"Add the missing rows, as zeros: {rewriting_command(checkpoint, change)}"


def _unexpected(checkpoint: Checkpoint, architecture: Architecture, head: Head | None) -> Iterator[Finding]:
    """Stored tensors that neither the backbone nor the declared class has a place for: they are left out."""
    family, headers = architecture.family, checkpoint.headers
    if family is None or headers is None:
        return
    expected = head.symbols(architecture) if head is not None else {}
    loaded = {name: loaded_name(name, family) for name in headers.tensors if backbone_name(name, family) is None}
    left = [name for name, own in loaded.items() if own is not None and own not in expected]
    if left:
        owner = head.model_class if head is not None else family.model_class
        yield Finding(
            "tensors-left-out",
            "note",
            f"the weights hold {counted(len(left), 'tensor')} that {owner} has no place for: "
            f"{listed(left)}; loading leaves them out",
            where=left[0],
            expected="none",
            actual=len(left),
        )
