"""Which family the checkpoint is: model_type against class names, tensor names and the padding token."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bertshape.predict.family import Family, family_names, family_of_class, is_class_of, load_family
from bertshape.predict.tensor_names import recognised
from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.report.finding import Severity
    from bertshape.tokens.tokenizer import LoadedTokenizer

_LEAST_LEAD = 0.1
"""How much more of the names another family must explain, as a share of all of them, to be the right one."""
_HINT = "Restore model_type in config.json: the right family depends on it, and loading does not notice."
_ASKED = 10_000
"""Each of 40 families is asked about so many names at most; the largest encoder has not a tenth of them."""


def declared_classes(checkpoint: Checkpoint) -> list[str]:
    """Class names in config.json's `architectures`."""
    declared = checkpoint.config.get("architectures")
    return [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else []


def model_type_findings(checkpoint: Checkpoint, architecture: Architecture) -> list[Finding]:
    """No model_type in config.json: transformers refuses the folder, and the rest tells the family."""
    if "model_type" in checkpoint.config:
        return []
    return [
        Finding(
            "model-type-missing",
            "error",
            f"model_type: {checkpoint.config_path} has none, so transformers cannot load it; it is read as "
            f"{architecture.model_type} here, by its classes and tensors",
            f'Add "model_type": "{architecture.model_type}" to config.json.',
            where="config.json model_type",
            expected=architecture.model_type,
            actual="none",
        )
    ]


def family_of_names(checkpoint: Checkpoint, architecture: Architecture) -> Finding | None:
    """The finding that the names of the stored tensors are those of another family, where they are."""
    own = architecture.family
    if own is None or not own.has_template or not checkpoint.headers or not checkpoint.headers.tensors:
        return None
    names = dict(islice(checkpoint.headers.tensors.items(), _ASKED))
    known = recognised(names, own)
    # Task heads are in no family's table; what the own family leaves open must be more than a few of them.
    if len(names) - known <= _LEAST_LEAD * len(names):
        return None
    counts = {other: recognised(names, family) for other in family_names() if (family := load_family(other))}
    best = max(counts.values())
    if best - known <= _LEAST_LEAD * len(names):
        return None
    alike = [name for name, count in counts.items() if count == best]
    # Several families share their names; the class that config.json declares may tell which one this is.
    classes = {family.model_type for name in declared_classes(checkpoint) if (family := family_of_class(name))}
    likely = " or ".join([name for name in alike if name in classes] or alike)
    total = len(names)
    return _mismatch(
        f"model_type: {checkpoint.config_path} says {own.model_type}, whose names {known} of {total} stored "
        f"tensors have; {best} have those of {likely}",
        expected=likely,
        actual=own.model_type,
    )


def class_findings(checkpoint: Checkpoint, architecture: Architecture) -> list[Finding]:
    """`architectures` names a class of another family. Classes of no family are a person's own, and fine."""
    own = architecture.family
    if own is None:
        return []
    # The own family first: reading the files of all of them takes 20 ms.
    if any(is_class_of(name, own) for name in declared_classes(checkpoint)):
        return []
    families = {name: family for name in declared_classes(checkpoint) if (family := family_of_class(name))}
    if not families or own in families.values():
        return []
    name, other = next(iter(families.items()))
    finding = _mismatch(
        f"model_type: {checkpoint.config_path} says {own.model_type}, its architectures say {name}, "
        f"a class of {other.model_type}",
        expected=other.model_type,
        actual=own.model_type,
        severity="warning" if _alike(own, other) else "error",
    )
    return [finding]


def whole_model_findings(architecture: Architecture) -> list[Finding]:
    """An encoder that AutoModel loads together with a decoder, which texts alone do not run."""
    family = architecture.family
    if family is None or not family.whole_classes:
        return []
    message = (
        f"AutoModel gives {family.whole_classes[0]} for {family.model_type}, whose decoder wants texts of its own; "
        f"shown is its encoder, {family.model_class}, which sentence-transformers loads"
    )
    hint = f"In your own code: {family.model_class}.from_pretrained(...)."
    return [Finding("encoder-alone", "note", message, hint, where="config.json model_type")]


def prefix_class_findings(checkpoint: Checkpoint, architecture: Architecture) -> list[Finding]:
    """Weights of one class of a family under the name of another that looks for another prefix, as DPR's encoders."""
    family, headers = architecture.family, checkpoint.headers
    if family is None or headers is None or not family.class_prefixes:
        return []
    declared = next((name for name in declared_classes(checkpoint) if family.has_class(name)), family.model_class)
    wanted = family.class_prefixes.get(declared)
    held = [
        name for name, prefix in family.class_prefixes.items() if any(key.startswith(prefix) for key in headers.tensors)
    ]
    if wanted is None or not held or declared in held:
        return []
    stated = "says" if checkpoint.config.get("architectures") else "names no class, which means"
    return [
        Finding(
            "class-mismatch",
            "error",
            f"architectures: {checkpoint.config_path} {stated} {declared}, the weights are those of {held[0]}: none of "
            "them would be loaded",
            f'Write "architectures": ["{held[0]}"] in config.json.',
            where="config.json architectures",
            expected=held[0],
            actual=declared,
        )
    ]


def padding_identity(architecture: Architecture, tokenizer: LoadedTokenizer | None) -> list[Finding]:
    """A family that numbers positions after the padding id, with a tokenizer that pads as BERT's does: [PAD], id 0.

    Tensor names cannot tell RoBERTa from BERT, and loading one as the other shifts every position.
    """
    own, pad = architecture.family, architecture.pad_token_id
    if own is None or tokenizer is None or own.length != "positions - pad_token_id - 1":
        return []
    if (tokenizer.pad_token, tokenizer.pad_id) != ("[PAD]", 0) or pad in (None, 0):
        return []
    message = (
        f"model_type: config.json says {own.model_type}, which pads with id {pad} and counts positions from "
        f"{(pad or 0) + 1}; {tokenizer.file} pads with [PAD] of id 0, as bert does"
    )
    return [_mismatch(message, expected="bert", actual=own.model_type)]


def _mismatch(message: str, *, expected: str, actual: str, severity: Severity = "error") -> Finding:
    where = "config.json model_type"
    return Finding("model-type-mismatch", severity, message, _HINT, where=where, expected=expected, actual=actual)


def _alike(one: Family, other: Family) -> bool:
    """Whether two families differ in name alone, as RoBERTa and XLM-RoBERTa do."""
    return (one.tensors, one.layer_tensors, one.length) == (other.tensors, other.layer_tensors, other.length)
