"""Stored tensors against the ones that config.json describes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.predict.heads import head_of_class
from bertshape.predict.tensor_names import backbone_tensors
from bertshape.report.finding import Finding
from bertshape.soundness.dimensions import dimension_findings, layer_findings
from bertshape.soundness.identity import declared_classes, family_of_names
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.report.finding import Severity
    from bertshape.report.report import PoolerVerdict
    from bertshape.soundness.dimensions import HeldDimensions

Shape = tuple[int, ...]

_RANDOM_POOLER_HINT = "Do not use pooler_output of this checkpoint; mean or cls need no pooler."
_SHOWN = 3
_LAYOUTS = {
    "fairseq": r"sentence_encoder\.",
    "flash-attn": r"\.mixer\.Wqkv\.",
    "Megatron-LM": r"language_model\.",
    "TensorFlow": r"/kernel|_\d+/",
}
"""Layouts of other libraries, and what in a name tells them."""


def stored_backbone(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, Shape] | None:
    """Shapes of the stored backbone tensors, by the names that the base model gives them.

    Returns:
        None where the headers cannot be read without loading (pickles), or nothing is stored.
    """
    if checkpoint.headers is None or architecture.family is None or not architecture.family.has_template:
        return None
    stored: dict[str, Shape] = {}
    for name, tensor in checkpoint.headers.tensors.items():
        stored |= backbone_tensors(name, tensor.shape, architecture.family)
    return stored


def pooler_verdict(architecture: Architecture, stored: Mapping[str, Shape] | None) -> PoolerVerdict | None:
    """Whether `pooler_output` means anything; None where it takes a load to know."""
    if not architecture.has_pooler or architecture.family is None:
        return "absent"
    if stored is None:
        return None
    prefix, expected = architecture.family.pooler, architecture.expected_tensors()
    if prefix is None or (expected is not None and not any(name.startswith(prefix) for name in expected)):
        # DPR, and MobileBERT where config.json says so, give a vector of the last layer: nothing of it can be random.
        return "trained"
    return "trained" if any(name.startswith(prefix) for name in stored) else "random"


def weight_findings(
    checkpoint: Checkpoint, architecture: Architecture, stored: Mapping[str, Shape], held: HeldDimensions
) -> list[Finding]:
    """Compare the stored backbone with the one that config.json describes.

    Args:
        checkpoint: For the names in messages.
        architecture: What config.json describes.
        stored: Shapes of the stored backbone tensors, by the base model's names.
        held: What these shapes say of its dimensions.

    Returns:
        One finding for each field of config.json to blame, not one for each tensor.
    """
    if architecture.family is None or not architecture.family.has_template:
        return []
    other = family_of_names(checkpoint, architecture)
    if other:
        return [other]
    findings = [*dimension_findings(checkpoint, architecture, stored, held)]
    findings += layer_findings(checkpoint, architecture, held)
    # Against the fixed architecture: what a wrong field explains is not said again as tensors.
    expected = held.architecture.expected_tensors() or {}
    pooler = pooler_verdict(architecture, stored)
    prefix = architecture.family.pooler if pooler == "random" else None
    missing = [name for name in expected if name not in stored and not (prefix and name.startswith(prefix))]
    unexpected = [name for name in stored if name not in expected]
    if missing:
        consequence = "they would be filled with random numbers"
        finding = _tensors("tensors-missing", "lack", missing, consequence, present=len(stored))
        findings.append(replace(finding, hint=_layout_hint(checkpoint) or finding.hint))
    if unexpected:
        consequence = f"{architecture.model_type} has no such tensors under this config.json"
        findings.append(_tensors("tensors-unexpected", "hold", unexpected, consequence, present=len(stored)))
    if pooler == "random":
        findings.append(_random_pooler(checkpoint))
    return findings


def _layout_hint(checkpoint: Checkpoint) -> str | None:
    """Whose names the stored ones are, where they are those of another library."""
    names = checkpoint.headers.tensors if checkpoint.headers else {}
    library = next((key for key, mark in _LAYOUTS.items() if any(re.search(mark, name) for name in names)), None)
    if library is None:
        return None
    return f"The names are those of {library}: convert the weights for transformers with the script of their authors."


def settle_pooler(checkpoint: Checkpoint, architecture: Architecture, findings: Sequence[Finding]) -> list[Finding]:
    """Say what a random pooler means for the class that config.json names.

    A note for a class without a pooler: such a checkpoint is as it should be, and only who asks for its pooler_output
    needs a warning. An error for a class whose head reads the pooler: its logits are random then.
    """
    heads = (head_of_class(architecture.model_type, name) for name in declared_classes(checkpoint))
    head = next((head for head in heads if head is not None), None)
    if head is None or head.pooler == "idle":
        return list(findings)
    severity: Severity = "note" if head.pooler is None else "error"
    return [replace(row, severity=severity) if row.code == "pooler-random" else row for row in findings]


def _random_pooler(checkpoint: Checkpoint) -> Finding:
    return Finding(
        "pooler-random",
        "warning",
        f"the weights hold no pooler: pooler_output of {checkpoint.name} is random",
        _RANDOM_POOLER_HINT,
        where="pooler",
        expected="stored pooler tensors",
        actual="none",
    )


def _tensors(code: str, verb: str, names: list[str], consequence: str, *, present: int) -> Finding:
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    message = f"the weights {verb} {counted(len(names), 'backbone tensor')}: {shown}; {consequence}"
    missing = code == "tensors-missing"
    expected = present + len(names) if missing else present - len(names)
    return Finding(
        code,
        "error",
        message,
        "Check that config.json and the weights belong together.",
        where=names[0],
        expected=expected,
        actual=present,
    )
