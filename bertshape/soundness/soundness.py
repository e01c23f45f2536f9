"""Does what the checkpoint says agree with what it stores? Findings, a line each, from small files and headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.checkpoint.quantization import read_quantization
from bertshape.predict.family import load_family
from bertshape.soundness.adapters import adapter_beside_finding, unmerged, unmerged_finding, without_adapter
from bertshape.soundness.attention import attention_findings
from bertshape.soundness.custom_code import custom_code_findings
from bertshape.soundness.defaults import default_findings, value_findings
from bertshape.soundness.dimensions import attention_head_findings, held_dimensions
from bertshape.soundness.dtypes import dtype_findings
from bertshape.soundness.heads import head_findings, label_map_findings
from bertshape.soundness.identity import (
    class_findings,
    family_of_names,
    model_type_findings,
    padding_identity,
    prefix_class_findings,
    whole_model_findings,
)
from bertshape.soundness.lengths import length_findings
from bertshape.soundness.pickled import nested_findings
from bertshape.soundness.prefixes import foreign_prefix, prefix_finding, without_prefix
from bertshape.soundness.quantized import quantization_findings, without_quantization
from bertshape.soundness.sentence_chain import sentence_findings
from bertshape.soundness.tokenizer import padding_findings, vocabulary_findings
from bertshape.soundness.unchecked import pointer_findings, unchecked_findings
from bertshape.soundness.weights import settle_pooler, stored_backbone, weight_findings

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.report.finding import Finding
    from bertshape.tokens.tokenizer import LoadedTokenizer


def check_soundness(
    checkpoint: Checkpoint,
    architecture: Architecture,
    tokenizer: LoadedTokenizer | None,
    *,
    look_at_weights: bool = True,
    weights_needed: bool = True,
) -> list[Finding]:
    """Check config.json, weight headers, tokenizer and sentence-transformers files against each other.

    One fault gives one finding: a rule that builds on a fact which another rule found wrong uses the right one, or
    waits until it is fixed.

    Args:
        checkpoint: The checkpoint.
        architecture: What its config.json describes.
        tokenizer: Its tokenizer; None leaves out the rules about it.
        weights_needed: Whether a checkpoint without weights is unsound; not for a prediction alone.
        look_at_weights: Whether stored weights count; not where random ones are to run.
    """
    findings = [*model_type_findings(checkpoint, architecture), *custom_code_findings(checkpoint, architecture)]
    findings += whole_model_findings(architecture)
    findings += [*value_findings(checkpoint, architecture), *default_findings(checkpoint, architecture)]
    findings += pointer_findings(checkpoint)
    fitting: Architecture | None = architecture
    if look_at_weights:
        of_weights, fitting = _judge_weights(checkpoint, architecture, weights_needed)
        findings += of_weights
    if fitting is None:
        # Under the wrong family neither names nor dimensions nor lengths mean anything.
        return findings
    findings += attention_head_findings(checkpoint, fitting)
    if look_at_weights and read_quantization(checkpoint) is None:
        findings += dtype_findings(checkpoint, fitting)
    findings += attention_findings(fitting, checkpoint.config_path, checkpoint.recipe.pooling)
    findings += label_map_findings(checkpoint)
    identity = class_findings(checkpoint, architecture) or padding_identity(architecture, tokenizer)
    findings += identity
    if tokenizer is not None:
        findings += vocabulary_findings(checkpoint, fitting, tokenizer)
    if tokenizer is not None and not _wrong(identity):
        findings += padding_findings(checkpoint, architecture, tokenizer)
    if not _wrong(identity):
        findings += length_findings(checkpoint, fitting, tokenizer)
    # A wrong id2label is found with the labels, and again with the head.
    return [*dict.fromkeys((*findings, *sentence_findings(checkpoint, fitting)))]


def _judge_weights(
    checkpoint: Checkpoint, architecture: Architecture, weights_needed: bool
) -> tuple[list[Finding], Architecture | None]:
    """What the weights are worth, and what a config.json would describe that fits them; None for another family."""
    findings = [*nested_findings(checkpoint), *adapter_beside_finding(checkpoint)]
    if unmerged(checkpoint):
        findings.append(unmerged_finding(checkpoint))
        checkpoint = without_adapter(checkpoint)
    quantization = read_quantization(checkpoint)
    if quantization is not None:
        findings += quantization_findings(checkpoint, quantization)
        if not quantization.known:
            return findings, architecture
        # The other rules look at the matrices that the quantized ones stand for.
        checkpoint = without_quantization(checkpoint, quantization, architecture)
    prefix = foreign_prefix(checkpoint, architecture)
    foreign = family_of_names(checkpoint, architecture)
    if foreign is not None and (prefix is None or _is_of_family(prefix, foreign)):
        return [*findings, foreign], None
    if prefix is not None:
        findings.append(prefix_finding(checkpoint, prefix))
        # The other rules look at what would be there under the right names.
        checkpoint = without_prefix(checkpoint, prefix)
    findings += unchecked_findings(checkpoint, architecture, weights_needed)
    stored, fitting = stored_backbone(checkpoint, architecture), architecture
    if stored is not None:
        held = held_dimensions(checkpoint, architecture, stored)
        findings += settle_pooler(checkpoint, architecture, weight_findings(checkpoint, architecture, stored, held))
        fitting = held.architecture
    findings += prefix_class_findings(checkpoint, architecture)
    return [*findings, *head_findings(checkpoint, fitting)], fitting


def _is_of_family(prefix: str, foreign: Finding) -> bool:
    """Whether a prefix is that of another family's models; a wrapper's may be the name of one of their parts."""
    families = map(load_family, str(foreign.expected).split(" or "))
    return any(family is not None and prefix in family.prefixes for family in families)


def _wrong(identity: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in identity)
