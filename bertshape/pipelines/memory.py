"""How much memory a model takes: weights, gradients, optimizer states and activations, without a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pipelines.memory_fit import fits
from bertshape.pipelines.memory_use import MemoryUse
from bertshape.predict.guess import describe
from bertshape.predict.memory import ATTENTIONS, activations
from bertshape.report.batch_memory import BatchMemory
from bertshape.report.finding import Finding
from bertshape.report.memory import USES, DtypeMemory, MemoryReport, Peak
from bertshape.soundness.soundness import check_soundness
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.pipelines.memory_request import MemoryRequest
    from bertshape.pipelines.model import Model
    from bertshape.predict.architecture import Architecture

DTYPES = ("float32", "float16", "bfloat16")


def memory(request: MemoryRequest) -> MemoryReport:
    """Say how much memory a model takes; its tokenizer is neither read nor needed.

    Args:
        request: Which model, and the batch.

    Raises:
        UsageError: The batch is none, or longer than the model takes.
        CheckpointError: The checkpoint cannot be read, or nothing says how many parameters it has.
        HubError: The Hub does not give it.
    """
    request.check()
    checkpoint = request.source.open()
    architecture = describe(checkpoint)
    use = memory_use(checkpoint, architecture)
    shape = request.batch_size, _length(request, use)
    fitting = () if request.fit is None else tuple(fits(use, shape, request.fit, DTYPES))
    sound = check_soundness(checkpoint, architecture, None, weights_needed=False)
    findings = [*sound, *_findings(use, shape)]
    if fitting and not any(fit.batch_size for fit in fitting):
        message = f"not even one text of {counted(shape[1], 'token')} fits into {request.fit:,} bytes"
        findings.append(Finding("memory-too-small", "error", message, "Pass fewer tokens, or more memory."))
    dimensions = architecture.dimensions
    return MemoryReport(
        model=checkpoint.name,
        model_type=architecture.model_type,
        num_hidden_layers=dimensions.num_hidden_layers,
        hidden_size=dimensions.hidden_size,
        parameters=sum(use.sizes.values()),
        batch_size=shape[0],
        length=shape[1],
        most=use.most,
        dtypes=tuple(_of_dtype(use, dtype, shape) for dtype in DTYPES),
        memory=request.fit,
        fits=fitting,
        findings=tuple(findings),
    )


def memory_use(checkpoint: Checkpoint, architecture: Architecture) -> MemoryUse:
    """What a model needs whatever its texts."""
    shapes = architecture.expected_tensors()
    if shapes is None:
        headers = checkpoint.headers
        shapes = {} if headers is None else {name: tensor.shape for name, tensor in headers.tensors.items()}
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    vocabulary = architecture.table_of("vocab_size")
    return MemoryUse(architecture, sizes, sizes.get(vocabulary or "", 0), activations(architecture))


def batch_memory(model: Model, cut_at: int | None) -> tuple[BatchMemory, ...]:
    """Tensor bytes of batches in inference, with the attention that transformers takes; empty where not known.

    Args:
        model: The model.
        cut_at: Length at which texts are cut; None where they are not.
    """
    use = memory_use(model.checkpoint, model.architecture)
    found = use.activations
    if found is None or (found.longest is not None and (cut_at is None or cut_at > found.longest)):
        return ()
    terms = {dtype: found.terms(found.attentions[-1], dtype) for dtype in DTYPES}
    return tuple(BatchMemory(dtype, use.weights(dtype), peaks) for dtype, peaks in terms.items() if peaks)


def _length(request: MemoryRequest, use: MemoryUse) -> int:
    """The length asked for, or 512, or what the model takes."""
    if request.length is None:
        return min(512, use.most or 512)
    if use.most is not None and request.length > use.most:
        message = f"--length is {request.length}; the model takes at most {counted(use.most, 'token')}"
        raise UsageError(message, hint=f"Pass --length {use.most}, or less.", code="length-invalid")
    return request.length


def _findings(use: MemoryUse, shape: tuple[int, int]) -> list[Finding]:
    model_type = use.architecture.model_type
    if not use.sizes:
        message = f"the number of parameters is not known: model_type {model_type} has no table, and no header says it"
        return [Finding("parameters-unknown", "warning", message, "Name a checkpoint with safetensors files.")]
    if use.activations is None:
        message = f"activations are not known: those of model_type {model_type} were not counted in this configuration"
        return [Finding("memory-not-counted", "note", message, "Add memory for them to that of the weights.")]
    longest = use.activations.longest
    if longest is not None and shape[1] > longest:
        message = f"activations are not known: those of {model_type} were counted up to {counted(longest, 'token')}"
        return [Finding("memory-not-counted", "note", message, f"Pass --length {longest}, or less.")]
    return []


def _of_dtype(use: MemoryUse, dtype: str, shape: tuple[int, int]) -> DtypeMemory:
    peaks = [
        Peak(kind, attention, counted, total)
        for kind in USES
        for attention in ATTENTIONS
        if (counted := use.counted(kind, attention, dtype, shape)) is not None
        if (total := use.total(kind, attention, dtype, shape)) is not None
    ]
    hidden_states, attentions = use.kept(dtype, shape) if peaks else (None, None)
    return DtypeMemory(
        dtype=dtype,
        weights=use.weights(dtype),
        gradients=use.weights(dtype),
        optimizer=use.optimizers(dtype),
        hidden_states=hidden_states,
        attentions=attentions,
        peaks=tuple(peaks),
        past_key_values=use.cache(dtype, shape) if peaks else None,
    )
