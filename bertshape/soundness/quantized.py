"""Quantized checkpoints: judged by what they should hold, so that the other rules see the matrices they stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.quantization import incomplete_modules, plain_tensors
from bertshape.predict.tensor_names import backbone_name
from bertshape.report.finding import Finding
from bertshape.wording import SHOWN, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.quantization import Quantization
    from bertshape.predict.architecture import Architecture


def without_quantization(checkpoint: Checkpoint, quantization: Quantization, architecture: Architecture) -> Checkpoint:
    """The checkpoint with the matrices that its quantized ones stand for."""
    headers, family = checkpoint.headers, architecture.family
    if headers is None or family is None:
        return checkpoint
    shapes = architecture.expected_tensors() or {}
    expected = {name: shapes[own] for name in headers.tensors if (own := backbone_name(name, family)) in shapes}
    tensors = plain_tensors(headers.tensors, quantization, expected)
    return replace(checkpoint, headers=replace(headers, tensors=tensors))


def quantization_findings(checkpoint: Checkpoint, quantization: Quantization) -> Iterator[Finding]:
    """What a quantized checkpoint needs to be loaded, and what it lacks."""
    tensors = checkpoint.headers.tensors if checkpoint.headers else {}
    method, name = quantization.method, quantization.name
    if not quantization.declared:
        mark = next(key for key in tensors if method and key.endswith(method.marks))
        yield Finding(
            "quantization-undeclared",
            "error",
            f"quantization_config: {checkpoint.config_path} has none, and the weights are stored as {name} does it "
            f"({mark}): they would be loaded as plain numbers",
            f"Add {_declaration(quantization)} to config.json, with the settings of the run that quantized them.",
            where="config.json quantization_config",
            expected=name,
            actual="none",
        )
    for matrix, endings in list(incomplete_modules(tensors, method).items())[:SHOWN] if method else ():
        yield Finding(
            "quantization-incomplete",
            "error",
            f"{matrix}: the weights lack its {listed(endings)}, without which its numbers mean nothing",
            "Quantize the model again, or take the file that was written then.",
            where=matrix,
            expected=listed(endings),
            actual="none",
        )
    if not quantization.declared:
        return
    packages, missing = " and ".join(quantization.packages), quantization.missing_packages
    how = "its weights are plain numbers so far" if method is None else f"{quantization.bits} bits a number"
    if not quantization.known:
        how = "names and shapes of its weights were not checked"
    here = f", and {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed" if missing else ""
    yield Finding(
        "quantized",
        "note",
        f"quantization_config: {checkpoint.config_path} says {name} ({how}); a run needs {packages}{here}",
        f"pip install {' '.join(missing)}, or predict shapes alone: inspect --weights none." if missing else "",
        where="config.json quantization_config",
        actual=name,
    )


def _declaration(quantization: Quantization) -> str:
    if quantization.name == "bitsandbytes":
        return f'"quantization_config": {{"quant_method": "bitsandbytes", "load_in_{quantization.bits}bit": true}}'
    return f'"quantization_config": {{"quant_method": "{quantization.name}", "bits": {quantization.bits}, ...}}'
