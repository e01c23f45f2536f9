"""What is said of a model whatever its texts: config, weights and tokenizer held to each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.predict.tensor_names import backbone_name
from bertshape.report.finding import Finding
from bertshape.soundness.soundness import quick_findings
from bertshape.soundness.weights import pooler_verdict, stored_backbone, weight_findings

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model
    from bertshape.predict.architecture import Architecture
    from bertshape.report.report import PoolerVerdict, Weights
    from bertshape.run.observation import Loading


@dataclass(frozen=True)
class Verdict:
    """What is said of a model whatever its texts.

    Attributes:
        pooler: What its pooler is worth; None where only loading tells.
        findings: Findings on config, weights and family.
    """

    pooler: PoolerVerdict | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the model's numbers wrong."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def judge_model(model: Model, weights: Weights) -> Verdict:
    """Judge a model by its small files and headers.

    Args:
        model: The checkpoint, read.
        weights: The weights that are to run; of random ones nothing stored is looked at.
    """
    checkpoint, architecture = model.checkpoint, model.architecture
    stored = stored_backbone(checkpoint, architecture) if weights != "random" else None
    pooler = pooler_verdict(architecture, stored)
    if weights == "random" and pooler is None:
        pooler = "random"
    return Verdict(pooler, tuple(quick_findings(checkpoint, architecture, model.tokenizer, stored)))


def judge_loading(model: Model, loading: Loading, *, failed: bool) -> Verdict:
    """What loading showed of the stored weights and the headers did not.

    Args:
        model: The checkpoint that was loaded.
        loading: What transformers says it loaded.
        failed: Whether an error is told already, which explains tensors that are missing.

    Returns:
        What is new: the pooler's verdict where only loading tells it, and findings.
    """
    checkpoint, architecture = model.checkpoint, model.architecture
    loading = _by_own_names(loading, architecture)
    expected = architecture.expected_tensors()
    if checkpoint.headers is None and expected is not None:
        # Pickles: the stored tensors are known only now; judge them by the same rules as headers.
        stored = {name: shape for name, shape in expected.items() if name not in loading.missing}
        stored |= dict(loading.mismatched)
        findings = weight_findings(checkpoint, architecture, stored)
        return Verdict(pooler_verdict(architecture, stored), tuple(findings))
    pooler_prefix = architecture.family.pooler if architecture.family else None
    missing = [name for name in loading.missing if not (pooler_prefix and name.startswith(pooler_prefix))]
    if not missing or failed:
        return Verdict(None, ())
    shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    message = f"{len(missing)} parameters were not in the weights and are random: {shown}"
    hint = "Check that config.json and the weights belong together."
    return Verdict(None, (Finding("tensors-missing", "error", message, hint),))


def _by_own_names(loading: Loading, architecture: Architecture) -> Loading:
    """The same by the names of the table: some classes, such as DPR's encoders, put a prefix before them."""
    family = architecture.family
    if family is None:
        return loading
    missing = tuple(backbone_name(name, family) or name for name in loading.missing)
    mismatched = tuple((backbone_name(name, family) or name, shape) for name, shape in loading.mismatched)
    return replace(loading, missing=missing, mismatched=mismatched)
