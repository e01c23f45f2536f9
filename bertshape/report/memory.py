"""How much memory a model takes, in tensor bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bertshape.report.envelope import envelope
from bertshape.report.inspect_document import finding_entries
from bertshape.report.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.report import documents_memory
    from bertshape.report.finding import Finding

Attention = Literal["eager", "sdpa"]
Optimizer = Literal["adamw", "adamw_8bit", "sgd"]
Use = Literal["inference", "training", "training_checkpointing"]
USES: tuple[Use, ...] = ("inference", "training", "training_checkpointing")
"""What a model is used for: the last is training with gradient checkpointing."""


@dataclass(frozen=True)
class Peak:
    """One way of using a model.

    Attributes:
        use: What for.
        attention: Implementation of attention: `eager` or `sdpa`.
        activations: Bytes of the tensors that live between operations, at the moment with the most.
        total: Bytes of all tensors at that moment, weights included; in training with AdamW.
    """

    use: Use
    attention: Attention
    activations: int
    total: int


@dataclass(frozen=True)
class DtypeMemory:
    """A model in one dtype.

    Attributes:
        dtype: Of the weights, and all that is computed.
        weights: Bytes of the weights.
        gradients: Bytes of their gradients.
        optimizer: Bytes of an optimizer's states, by its name.
        hidden_states: Bytes that output_hidden_states adds to inference; None where that is not known.
        attentions: Bytes that output_attentions adds to inference, which needs eager attention; None as above.
        peaks: The ways of using it that were counted; none for a family that was not.
        past_key_values: Bytes that a decoder's cache adds to inference; None for other models.
    """

    dtype: str
    weights: int
    gradients: int
    optimizer: Mapping[Optimizer, int]
    hidden_states: int | None
    attentions: int | None
    peaks: tuple[Peak, ...]
    past_key_values: int | None = None


@dataclass(frozen=True)
class Fit:
    """What fits into a memory, in one way of using a model.

    Attributes:
        use: What for; training is with AdamW.
        attention: Implementation of attention.
        dtype: Of the weights.
        batch_size: Most texts of the length that was asked for; 0 where not even one fits.
        length: Most tokens for as many texts as were asked for, up to what the model takes; 0 where none fits.
    """

    use: Use
    attention: Attention
    dtype: str
    batch_size: int
    length: int


@dataclass(frozen=True, repr=False)
class MemoryReport(Shown):
    """The memory of one model.

    Attributes:
        model: Name of the checkpoint.
        model_type: Its family.
        num_hidden_layers: Its layers.
        hidden_size: Its hidden size.
        parameters: Number of its parameters, without a head; with it where the family is not known.
        batch_size: Texts of a batch.
        length: Tokens of each.
        most: Tokens that a text may have; None where nothing says it.
        dtypes: What it takes, by dtype.
        memory: Bytes that it is to fit into; None where that was not asked.
        fits: What fits into them.
        findings: What a person should know of the checkpoint.
    """

    model: str
    model_type: str
    num_hidden_layers: int
    hidden_size: int
    parameters: int
    batch_size: int
    length: int
    most: int | None
    dtypes: tuple[DtypeMemory, ...]
    memory: int | None = None
    fits: tuple[Fit, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether there is no error among the findings."""
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def measured(self) -> bool:
        """Whether activations are known: those of the family were counted."""
        return any(dtype.peaks for dtype in self.dtypes)

    def brief(self) -> str:
        """The result in one line."""
        peaks = [peak.total for dtype in self.dtypes for peak in dtype.peaks if peak.use == "inference"]
        least = f"inference from {min(peaks):,} tensor bytes on" if peaks else "activations are not known"
        return f"{self.model!r}, {self.batch_size} x {self.length}: {least}"

    def to_dict(self) -> documents_memory.MemoryDocument:
        """The JSON document, as plain dicts and lists."""
        return {
            **envelope(ok=self.ok),
            "model": self.model,
            "model_type": self.model_type,
            "parameters": self.parameters,
            "batch_size": self.batch_size,
            "length": self.length,
            "measured": self.measured,
            "memory": [_entry(dtype) for dtype in self.dtypes],
            "fit": None if self.memory is None else {"bytes": self.memory, "ways": [_fit(fit) for fit in self.fits]},
            "findings": finding_entries(self.findings),
        }


def _entry(memory: DtypeMemory) -> documents_memory.DtypeMemory:
    return {
        "dtype": memory.dtype,
        "weights": memory.weights,
        "gradients": memory.gradients,
        "optimizer_states": [{"optimizer": name, "bytes": size} for name, size in memory.optimizer.items()],
        "hidden_states": memory.hidden_states,
        "attentions": memory.attentions,
        "past_key_values": memory.past_key_values,
        "peaks": [
            {"use": peak.use, "attention": peak.attention, "activations": peak.activations, "total": peak.total}
            for peak in memory.peaks
        ],
    }


def _fit(fit: Fit) -> documents_memory.FittingBatch:
    return {
        "use": fit.use,
        "attention": fit.attention,
        "dtype": fit.dtype,
        "batch_size": fit.batch_size,
        "length": fit.length,
    }
