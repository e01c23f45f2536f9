"""What a run of `inspect` shows against what `AutoModel.from_pretrained(folder)` gives for the same tokens."""

from __future__ import annotations

import inspect
import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import torch
import transformers
from safetensors.torch import load_file

from bertshape import inspect_texts
from bertshape.errors import BertshapeError
from tests.differential.model_folders import OUTSIDE, WORDS, Maker
from tests.tools.make_family import loader

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bertshape.report.layer import Layer
    from bertshape.report.report import OutputFacts, Report

_OUTPUTS = ("last_hidden_state", "pooler_output", "hidden_states", "attentions", "cross_attentions", "mems")
_CAUSAL = "attention-causal"
_NOT_FINITE = "non-finite-outputs"
_COLLAPSED = "outputs-collapsed"
_HUGE = 1e4
_SAME = 1e-4
_TASKS = ("sequence-classification", "token-classification", "question-answering", "masked-lm")
_HEADS = 0.3
"""How often a head is compared too."""
_PROBE = 9
"""Tokens of the row that shows whether attention is causal, and later tokens change nothing before them."""


def check(rng: random.Random, folder: Path) -> str:
    """One folder, and a batch of texts."""
    _quiet()
    try:
        Maker(rng, folder).make()
    except Exception as error:
        return f"the folder cannot be made: {type(error).__name__}: {error}"
    texts = [" ".join(rng.choices(WORDS, k=rng.choice((1, 2, 4, 9)))) for _ in range(rng.choice((1, 2, 3)))]
    different = compare(folder, texts, attentions=rng.random() < 0.5, layers=rng.random() < 0.3)
    return different or (compare_head(folder, texts, rng.choice(_TASKS)) if rng.random() < _HEADS else "")


def compare(folder: Path, texts: list[str], *, attentions: bool, layers: bool = False) -> str:
    """What differs between the two, a line each."""
    _quiet()
    theirs, why = _theirs(folder, texts, attentions=attentions)
    path = folder / "own.safetensors"
    try:
        predicted = inspect_texts(texts, model=folder, weights="none", attentions=attentions, layers=layers)
        report = inspect_texts(texts, model=folder, device="cpu", attentions=attentions, save=path, layers=layers)
    except BertshapeError as error:
        return "" if theirs is None else f"stops, and AutoModel runs: {error.code}: {error.message}"
    if theirs is None:
        return "" if report.failed else f"runs, and AutoModel fails: {why}"
    model, outputs = theirs
    lines = [*_facts(report, model), *_findings(report, model, outputs)]
    for name in _OUTPUTS:
        value = outputs.get(name)
        tensors = _listed(value)
        lines += _shapes(name, tensors, report.outputs.get(name), "")
        if name in predicted.outputs and predicted.checkpoint.model_type not in OUTSIDE:
            lines += _shapes(name, tensors, predicted.outputs[name], "predicted ")
        lines += _numbers(name, value, load_file(path))
    return "\n".join([*lines, *_lengths(report, model), *compare_layers(predicted.layers, report.layers)])


def compare_layers(predicted: Layer | None, observed: Layer | None) -> Iterator[str]:
    """What differs between the parts of a model as they are predicted and as hooks saw them."""
    if predicted is None or observed is None:
        return
    seen = dict(walk(observed))
    for path, part in walk(predicted):
        other = seen.get(path)
        if other is None:
            # Blocks are alike until a run shows their lengths, or the float32 that the first one begins.
            if predicted.name not in ("FunnelModel", "FunnelBaseModel") and "EncoderModel" not in predicted.name:
                yield f"layers: {path} is predicted, and not seen"
        elif predicted.name == "BigBirdModel" and path.endswith("attention.self") and not other.calls:
            continue  # A short batch has put full attention in its place, which no hook sees.
        elif part.idle != other.idle or (part.shape and (part.shape, part.calls) != (other.shape, other.calls)):
            yield f"layers: {path}: {part.calls} calls, {part.shape} against {other.calls}, {other.shape}"


def walk(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """All parts by their dotted names, folded ones as one."""
    yield path, layer
    for child in layer.children:
        yield from walk(child, f"{path}.{child.name}" if path else child.name)


def compare_head(folder: Path, texts: list[str], task: str) -> str:
    """What differs between a row of `--task` and what the class of transformers gives."""
    try:
        report = inspect_texts(texts, model=folder, device="cpu", tasks=[task])
    except BertshapeError:
        return ""  # So does the model without a head, and that was compared.
    row = report.tasks[task]
    if row.model_class is None:
        return ""
    theirs, why = _theirs(folder, texts, attentions=False, auto=getattr(transformers, row.model_class, None))
    if theirs is None:
        return "" if row.reason else f"{task}: a row, and {row.model_class} fails: {why}"
    own = {name: facts.shape.sizes for name, facts in row.outputs.items()}
    names = ("logits", "start_logits", "end_logits")
    given = {name: tuple(value.shape) for name in names if (value := theirs[1].get(name)) is not None}
    return "" if own == given else f"{task}: {own} ({row.reason}) against {given}"


def _quiet() -> None:
    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    transformers.utils.logging.disable_progress_bar()


def _theirs(
    folder: Path, texts: list[str], *, attentions: bool, auto: Any = None
) -> tuple[tuple[Any, Any] | None, str]:
    """The model and its outputs; the reason where there are none."""
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
        implementation = {"attn_implementation": "eager"} if attentions else {}
        model_type = json.loads((folder / "config.json").read_text()).get("model_type")
        model = (auto or loader(model_type)).from_pretrained(str(folder), **implementation).eval()
        for part in model.modules():  # CLIP reads it there alone.
            if hasattr(part, "config"):
                part.config.return_dict = True
        inputs = dict(tokenizer(texts, padding=True, return_tensors="pt"))
        taken = inspect.signature(model.forward).parameters
        inputs = {name: value for name, value in inputs.items() if name in taken or name == "input_ids"}
        if getattr(model.config, "type_vocab_size", 2) == 1:
            inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            asked = {"output_hidden_states": True, "output_attentions": attentions, "return_dict": True}
            return (model, model(**inputs, **asked)), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _facts(report: Report, model: Any) -> Iterator[str]:
    parameters, dtype = sum(parameter.numel() for parameter in model.parameters()), str(model.dtype)[6:]
    if report.checkpoint.parameters != parameters:
        yield f"parameters: {report.checkpoint.parameters} against {parameters}"
    if report.run.dtype != dtype:
        yield f"dtype: {report.run.dtype} against {dtype}"


def _findings(report: Report, model: Any, outputs: Any) -> Iterator[str]:
    codes = {finding.code for finding in report.findings}
    flat = [value for name in _OUTPUTS for value in _listed(outputs.get(name))]
    finite = all(bool(value.isfinite().all()) for value in flat)
    # Vectors that are finite by a hair overflow in a sum.
    huge = any(float(value.double().abs().max()) > _HUGE for value in flat)
    if finite == (_NOT_FINITE in codes) and not (finite and huge):
        yield f"all numbers are finite: {finite}; findings: {sorted(codes)}"
    hidden = outputs.get("last_hidden_state")
    if _COLLAPSED in codes and (hidden is None or float((hidden - hidden[:1, :1]).double().abs().max()) > _SAME):
        yield "tokens have other vectors, and a finding says that they have one"
    causal = _is_causal(model)
    if finite and causal is not None and (_CAUSAL in codes) != causal:
        yield f"attention is causal: {causal}; findings: {sorted(codes)}"
    for finding in report.findings if report.checkpoint.model_type not in OUTSIDE else ():
        wrong = finding.severity == "error" or finding.code in ("prediction-disagrees", "parameters-differ")
        if wrong and finding.code not in (_NOT_FINITE, _COLLAPSED):
            yield f"{finding.code}: {finding.message}"


def _is_causal(model: Any) -> bool | None:
    """Whether another last token leaves the vectors of those before it as they were; None where it changes nothing."""
    input_ids = torch.arange(5, 5 + _PROBE)[None]
    other = input_ids.clone()
    other[0, -1] = 15
    with torch.inference_mode():
        first, second = (model(row, return_dict=True).get("last_hidden_state") for row in (input_ids, other))
    if first is None or first.shape[1] != _PROBE:
        return False
    return None if bool((first == second).all()) else bool((first[0, :-1] == second[0, :-1]).all())


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else () if value is None else (value,)


def _shapes(name: str, tensors: tuple[Any, ...], facts: OutputFacts | None, said: str) -> Iterator[str]:
    if facts is None:
        if tensors:
            yield f"{name}: {said}nothing against {[list(tensor.shape) for tensor in tensors]}"
        return
    own = tuple(shape.sizes for shape in facts.shapes)
    expected = tuple(tuple(tensor.shape) for tensor in tensors)
    if own != expected:
        yield f"{name}: {said}{own} against {expected}"
    expected_dtypes = [str(tensor.dtype)[6:] for tensor in tensors]
    if [shape.dtype for shape in facts.shapes] != expected_dtypes:
        yield f"{name}: {said}{facts.dtypes or facts.shape.dtype} against {expected_dtypes}"
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if facts.bytes != size:
        yield f"{name}: {said}{facts.bytes} bytes against {size}"


def _numbers(name: str, value: Any, saved: Mapping[str, torch.Tensor]) -> Iterator[str]:
    if name == "hidden_states":
        return
    several = isinstance(value, tuple | list)
    for index, tensor in enumerate(_listed(value)):
        own = saved.get(f"{name}.{index}" if several else name)
        if own is None:
            yield f"{name}: not saved"
        elif own.shape == tensor.shape and not torch.allclose(own, tensor, rtol=1e-3, atol=1e-4, equal_nan=True):
            yield f"{name} {index}: off by {(own - tensor).abs().max():.3g}"


def _lengths(report: Report, model: Any) -> Iterator[str]:
    """The limit runs, and one more does not."""
    limit = report.checkpoint.length_limits["effective"]
    if limit is None or limit > 1000:
        return
    if not _runs(model, limit) and report.checkpoint.model_type not in OUTSIDE:
        yield f"{limit} tokens are said to run, and do not"
    if _runs(model, limit + 1):
        yield f"{limit + 1} tokens run, and {limit} are said to be the limit"


def _runs(model: Any, length: int) -> bool:
    input_ids = torch.full((1, length), 7)
    try:
        with torch.inference_mode():
            model(input_ids, attention_mask=torch.ones_like(input_ids))
    except Exception:
        return False
    return True
