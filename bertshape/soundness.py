"""Does what the checkpoint says agree with what it stores? Findings, a line each, from config and headers alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bertshape.architectures import backbone_name, layer_index
from bertshape.report import Finding, PoolerVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bertshape.architectures import Architecture
    from bertshape.checkpoint import Checkpoint
    from bertshape.tokenization import Tokenization
    from bertshape.tokenizer import LoadedTokenizer

Shape = tuple[int, ...]
_RANDOM_POOLER_HINT = "Do not use pooler_output of this checkpoint; mean or cls need no pooler."
_BLANK_SHARE = 10
"""A tokenizer with less than a tenth of the embedding's rows is not the one that the weights were trained with."""


def stored_backbone(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, Shape] | None:
    """Shapes of the stored backbone tensors, by the names that the base model gives them.

    Returns:
        None where the headers cannot be read without loading (pickles), or nothing is stored.
    """
    if checkpoint.headers is None or architecture.family is None:
        return None
    stored = {}
    for name, tensor in checkpoint.headers.tensors.items():
        own_name = backbone_name(name, architecture.family)
        if own_name is not None:
            stored[own_name] = tensor.shape
    return stored


def pooler_verdict(architecture: Architecture, stored: Mapping[str, Shape] | None) -> PoolerVerdict | None:
    """Whether `pooler_output` means anything; None where it takes a load to know."""
    if not architecture.has_pooler or architecture.family is None or architecture.family.pooler is None:
        return "absent"
    if stored is None:
        return None
    return "trained" if any(name.startswith(architecture.family.pooler) for name in stored) else "random"


def weight_findings(checkpoint: Checkpoint, architecture: Architecture, stored: Mapping[str, Shape]) -> list[Finding]:
    """Compare the stored backbone with the one that config.json describes.

    Args:
        checkpoint: For the names in messages.
        architecture: What config.json describes.
        stored: Shapes of the stored backbone tensors, by the base model's names.

    Returns:
        One finding for each field of config.json to blame, not one for each tensor.
    """
    expected = architecture.expected_tensors()
    if expected is None or architecture.family is None:
        return []
    pooler = architecture.family.pooler
    missing = [name for name in expected if name not in stored and not (pooler and name.startswith(pooler))]
    unexpected = [name for name in stored if name not in expected]
    findings = _shape_findings(checkpoint, architecture, expected, stored)
    layers, missing, unexpected = _layer_findings(checkpoint, architecture, stored, missing, unexpected)
    findings += layers
    if missing:
        findings.append(_tensors("tensors-missing", "lack", missing, "they would be filled with random numbers"))
    if unexpected:
        findings.append(
            _tensors("tensors-unexpected", "hold", unexpected, f"{architecture.model_type} has no such tensors")
        )
    if pooler_verdict(architecture, stored) == "random":
        findings.append(
            Finding(
                "pooler-random",
                "warning",
                f"the weights hold no pooler: pooler_output of {checkpoint.name} is random",
                _RANDOM_POOLER_HINT,
            )
        )
    return findings


def tokenizer_findings(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer, tokenization: Tokenization
) -> list[Finding]:
    """Signs that the tokenizer is not the one of these weights."""
    findings = []
    rows, size = architecture.dimensions.vocab_size, tokenizer.vocabulary_size
    key = architecture.config_key("vocab_size")
    if rows is not None and size * _BLANK_SHARE < rows:
        findings.append(
            Finding(
                "tokenizer-blank",
                "error",
                f"{tokenizer.file} knows {size} tokens, {checkpoint.config_path} says {key} {rows}: "
                "nearly every word becomes unknown",
                "Copy the tokenizer files of the original checkpoint into the folder.",
            )
        )
    content = sum(row.content for row in tokenization.rows)
    unknown = sum(row.unknown for row in tokenization.rows)
    if unknown:
        share = f"{unknown} of {content} content tokens"
        message = f"{share} are unknown to the vocabulary ({tokenizer.unk_token})"
        findings.append(Finding("unknown-tokens", "warning" if unknown * 2 >= content else "note", message))
    return findings


def _shape_findings(
    checkpoint: Checkpoint, architecture: Architecture, expected: Mapping[str, Shape], stored: Mapping[str, Shape]
) -> list[Finding]:
    """Name the dimension to blame for mismatched shapes, once, with the value that the weights suggest."""
    mismatched = {name: stored[name] for name, shape in expected.items() if name in stored and stored[name] != shape}
    suggestions: dict[str, set[int]] = defaultdict(set)
    blamed: dict[str, int] = defaultdict(int)
    unexplained = []
    for name, actual in mismatched.items():
        culprits = _culprits(architecture.symbols(name), expected[name], actual)
        if not culprits:
            unexplained.append(name)
        for symbol, size in culprits.items():
            suggestions[symbol].add(size)
            blamed[symbol] += 1
    findings = []
    for symbol, sizes in suggestions.items():
        key = architecture.config_key(symbol)
        says = getattr(architecture.dimensions, symbol, checkpoint.config.get(key))
        hold = ", ".join(map(str, sorted(sizes)))
        count = f"{blamed[symbol]} tensor" + "s" * (blamed[symbol] > 1)
        message = f"{key}: {checkpoint.config_path} says {says}, the weights hold {hold} ({count})"
        hint = f"Set {key} to {hold} in config.json." if len(sizes) == 1 else "Restore config.json."
        findings.append(Finding("dimension-mismatch", "error", message, hint))
    for name in unexplained[:3]:
        message = f"{name}: expected {list(expected[name])}, the weights hold {list(stored[name])}"
        findings.append(Finding("tensor-mismatch", "error", message, "Restore config.json."))
    return findings


def _culprits(symbols: tuple[str, ...], expected: Shape, actual: Shape) -> dict[str, int]:
    """Dimensions whose size differs, where the shape names them plainly; a number of axes that differs has none."""
    if len(expected) != len(actual):
        return {}
    axes = zip(symbols, expected, actual, strict=True)
    return {symbol: size for symbol, wanted, size in axes if wanted != size and symbol.isidentifier()}


def _layer_findings(
    checkpoint: Checkpoint,
    architecture: Architecture,
    stored: Mapping[str, Shape],
    missing: list[str],
    unexpected: list[str],
) -> tuple[list[Finding], list[str], list[str]]:
    """Explain whole layers that are missing or left over by num_hidden_layers; give back what it does not explain."""
    family = architecture.family
    assert family is not None
    layers = architecture.dimensions.num_hidden_layers
    held = 1 + max((index for name in stored if (index := layer_index(name, family)) is not None), default=-1)
    if held == layers or held == 0:
        return [], missing, unexpected
    key = architecture.config_key("num_hidden_layers")
    what = "random layers would be added" if held < layers else "the rest would be dropped"
    message = f"{key}: {checkpoint.config_path} says {layers}, the weights hold {held} layers; {what}"
    finding = Finding("layers-mismatch", "error", message, f"Set {key} to {held} in config.json.")

    def beyond(names: Iterable[str]) -> list[str]:
        return [name for name in names if (layer_index(name, family) or 0) < min(held, layers)]

    return [finding], beyond(missing), beyond(unexpected)


def _tensors(code: str, verb: str, names: list[str], consequence: str) -> Finding:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    plural = "s" * (len(names) > 1)
    message = f"the weights {verb} {len(names)} backbone tensor{plural}: {shown}; {consequence}"
    return Finding(code, "error", message, "Check that config.json and the weights belong together.")
