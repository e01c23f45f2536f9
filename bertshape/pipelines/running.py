"""The door to `run/`: a model -> what runs it, judged once more by what loading showed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import fetch_weights
from bertshape.checkpoint.quantization import read_quantization
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.model import Model, Verdict
from bertshape.pipelines.packages import check_packages
from bertshape.predict.limits import resolve_dtype
from bertshape.predict.tensor_names import backbone_name
from bertshape.report.finding import Finding
from bertshape.run.memory import check_memory
from bertshape.run.request import Chain, ForwardRequest
from bertshape.soundness.dimensions import held_dimensions
from bertshape.soundness.weights import pooler_verdict, weight_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.pipelines.request import RunOptions
    from bertshape.predict.architecture import Architecture
    from bertshape.run.observation import Loading
    from bertshape.run.runner import Runner

_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Running:
    """A model, loaded.

    Attributes:
        runner: What runs it.
        verdict: What loading showed and the headers did not.
    """

    runner: Runner
    verdict: Verdict


def start(
    model: Model,
    options: RunOptions,
    events: Events = SILENT,
    *,
    chain: Chain | None = None,
    attentions: bool = False,
    failed: bool = False,
) -> Running:
    """Bring the weights, import torch, load the model.

    Args:
        model: The model.
        options: How to run it.
        events: Who watches.
        chain: Steps after the model, whose weights are loaded with it.
        attentions: Whether attention weights are wanted.
        failed: Whether an error is known already that explains tensors which are missing.

    Raises:
        UsageError: torch or transformers is not installed.
        CheckpointError: The weights cannot be loaded.
        DeviceError: The device is not there, or its memory is not enough.
        HubError: The weights cannot be downloaded.
    """
    check_packages("this command")
    if model.weights == "checkpoint":
        fetch_weights(model.checkpoint, progress=events.progress)
    _check_memory(model, options, chain)
    events.phase("importing torch")
    with events.importing():
        from bertshape.run.runner import Runner

        runner = Runner(_request(model, options, attentions=attentions), chain, events.phase)
    findings = (*_fallback(runner), *_causal(model, runner))
    if model.weights != "checkpoint":
        return Running(runner, Verdict(None, findings))
    loaded = _judge_loading(model, runner.loading, failed=failed)
    return Running(runner, replace(loaded, findings=(*findings, *loaded.findings)))


def _fallback(runner: Runner) -> Iterator[Finding]:
    if runner.passed_over:
        message = f"--device auto runs on {runner.device}, for an accelerator cannot be used: {runner.passed_over}"
        yield Finding("device-fallback", "warning", message, "See bertshape doctor.")


def _causal(model: Model, runner: Runner) -> Iterator[Finding]:
    """What the table says of its families, and only a run of others."""
    architecture = model.architecture
    if architecture.family is None and runner.is_causal():
        yield Finding(
            "attention-causal",
            "warning",
            f"attention of {architecture.model_type} is causal: a token sees itself and those before it alone; the "
            "first vector (cls) sees one token",
            "Take the last token: inspect --pooling lasttoken.",
            where="config.json model_type",
        )


def follow_chain(model: Model, followed: int | None = None, truncate_dim: int | None = None) -> Chain | None:
    """The steps after the model that the recipe declares, to be run.

    Args:
        model: The model.
        followed: How many of the steps, from the first on; None for all.
        truncate_dim: Size to cut the final vector to; None for what the recipe says.

    Returns:
        None where the recipe declares no chain.
    """
    recipe = model.recipe
    if not recipe.has_chain:
        return None
    folder = model.checkpoint.location.folder if model.weights == "checkpoint" else None
    steps = recipe.steps[:followed]
    return Chain(steps, folder, truncate_dim or recipe.truncate_dim, complete=len(steps) == len(recipe.steps))


def _request(model: Model, options: RunOptions, *, attentions: bool) -> ForwardRequest:
    checkpoint = model.checkpoint
    return ForwardRequest(
        folder=checkpoint.folder if model.weights == "checkpoint" else None,
        config=checkpoint.config,
        architecture=model.architecture,
        device=options.device,
        dtype=options.dtype if model.weights == "checkpoint" else model.dtype(options.dtype),
        safetensors=checkpoint.headers is not None and checkpoint.headers.is_safetensors,
        attentions=attentions,
        weight_bytes=checkpoint.headers.total_bytes if checkpoint.headers else None,
    )


def _check_memory(model: Model, options: RunOptions, chain: Chain | None) -> None:
    """Refuse sizes in config.json that no memory has room for; what the weight files hold is not copied, but mapped."""
    hint = "Correct the sizes in it, use dtype float16, or predict without running: inspect --weights none."
    for step in chain.steps if chain is not None and chain.folder is None else ():
        size = (step.input_dimension or 1) * (step.output_dimension or 1)
        check_memory(4 * size, f"{step.path}/config.json describes a step {step.name} of {size:,} numbers", hint)
    checkpoint, architecture = model.checkpoint, model.architecture
    sizes = [math.prod(shape) for shape in (architecture.expected_tensors() or {}).values()]
    if not sizes or read_quantization(checkpoint) is not None:
        return
    dtype = model.dtype(options.dtype)
    needed = sum(sizes) * _BYTES[dtype]
    if model.weights == "random":  # All layers share their numbers.
        needed = max(sizes) * _BYTES[dtype]
    elif checkpoint.headers is None:
        needed -= sum(path.stat().st_size for path in checkpoint.folder.glob("pytorch_model*.bin"))
    elif dtype == resolve_dtype(checkpoint, "auto", stored=True):
        needed -= checkpoint.headers.total_bytes
    # Most families keep two rows of numbers that are as long as a text may be.
    needed = max(0, needed) + 16 * (architecture.dimensions.max_position_embeddings or 0)
    check_memory(needed, f"{checkpoint.config_path} describes a model of {sum(sizes):,} parameters in {dtype}", hint)


def _judge_loading(model: Model, loading: Loading, *, failed: bool) -> Verdict:
    """What is new: the pooler's verdict where only loading shows it, and findings."""
    checkpoint, architecture = model.checkpoint, model.architecture
    loading = _by_own_names(loading, architecture)
    expected = architecture.expected_tensors()
    if checkpoint.headers is None and expected is not None:
        # Pickles: the stored tensors are known only now; judge them by the same rules as headers.
        stored = {name: shape for name, shape in expected.items() if name not in loading.missing}
        stored |= dict(loading.mismatched)
        held = held_dimensions(checkpoint, architecture, stored)
        findings = weight_findings(checkpoint, architecture, stored, held)
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
