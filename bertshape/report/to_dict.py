"""The report as the JSON document has it: plain dicts and lists."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bertshape.version import __version__

if TYPE_CHECKING:
    from bertshape.errors import BertshapeError
    from bertshape.report.layer import Layer
    from bertshape.report.report import OutputFacts, PooledFacts, Report, StepFacts, TaskFacts
    from bertshape.shapes import TensorShape
    from bertshape.tokens.batch import Row

SCHEMA_VERSION = "1"
"""Grows when a field is removed or changes its meaning; new fields do not change it."""


def report_to_dict(report: Report) -> dict[str, object]:
    """The whole document."""
    rows = report.tokenization.rows
    return {
        "schema_version": SCHEMA_VERSION,
        "ok": True,
        "bertshape": __version__,
        "checkpoint": asdict(report.checkpoint),
        "run": asdict(report.run),
        "sequences": [sequence_to_dict(row, report.has_token_types, words=report.words) for row in rows],
        **shapes_to_dict(report),
        "findings": [asdict(finding) for finding in report.findings],
    }


def shapes_to_dict(report: Report) -> dict[str, object]:
    """What all texts of the batch share: inputs, outputs and vectors; tasks and layers where they were asked for."""
    batch = report.tokenization
    shared: dict[str, object] = {
        "inputs": {
            "batch_size": batch.batch_size,
            "sequence_length": batch.sequence_length,
            "padding": batch.padding,
            "padding_side": batch.padding_side,
            "truncation": batch.truncation,
            "max_length": batch.max_length,
            "tensors": {name: _shape_to_dict(shape) for name, shape in report.inputs.items()},
        },
        "outputs": {name: _output_to_dict(output) for name, output in report.outputs.items()},
        "pooled": {name: _pooled_to_dict(pooled) for name, pooled in report.pooled.items()},
        "embedding": [_step_to_dict(step) for step in report.embedding] or None,
    }
    if report.tasks:
        shared["tasks"] = {name: _task_to_dict(task) for name, task in report.tasks.items()}
    if report.layers is not None:
        shared["layers"] = _layer_to_dict(report.layers)
    return shared


def sequence_to_dict(row: Row, has_token_types: bool, *, words: bool = False) -> dict[str, object]:
    """One text with its tokens; token_type_id is null where the model takes none."""
    tokens = []
    for token in row.tokens:
        # Not asdict, which copies each value: for many texts it takes longer than all the rest.
        entry = dict(vars(token))
        entry["offset"] = None if token.offset is None else list(token.offset)
        entry["token_type_id"] = token.token_type_id if has_token_types else None
        tokens.append(entry)
    counts = {name: getattr(row, name) for name in ("content", "special", "padding", "unknown", "truncated")}
    sequence = {"text": row.text, "pair": row.pair, **counts, "tokens": tokens}
    if words:
        from bertshape.tokens.words import words_to_dicts

        sequence["words"] = words_to_dicts(row)
    return sequence


def error_to_dict(error: BertshapeError) -> dict[str, object]:
    """The error document: the same envelope, with the error in place of the report."""
    details = {"code": error.code, "message": error.message, "hint": error.hint}
    return {"schema_version": SCHEMA_VERSION, "ok": False, "bertshape": __version__, "error": details}


def _shape_to_dict(shape: TensorShape) -> dict[str, object]:
    return {"axes": list(shape.axes), "shape": list(shape.sizes), "dtype": shape.dtype}


def _output_to_dict(output: OutputFacts) -> dict[str, object]:
    """One output; `count` and `labels` are there for tuples of tensors alone, `bytes` counts all of them."""
    entry = _shape_to_dict(output.shape) | {"bytes": output.bytes, "evidence": output.evidence}
    if output.count is not None:
        entry |= {"count": output.count, "labels": list(output.labels)}
    return entry


def _pooled_to_dict(pooled: PooledFacts) -> dict[str, object]:
    """One pooled vector, or the reason why there is none."""
    about = {"formula": pooled.formula, "over": pooled.over, "declared": pooled.declared}
    if pooled.shape is None:
        return {"available": False, "reason": pooled.reason, **about}
    shape = _shape_to_dict(pooled.shape)
    return {"available": True, **shape, "bytes": pooled.shape.bytes, "evidence": pooled.evidence, **about}


def _step_to_dict(step: StepFacts) -> dict[str, object]:
    about: dict[str, object] = {"step": step.name, "formula": step.formula}
    if step.shape is None:
        return about | {"available": False, "reason": step.reason}
    return about | {"available": True, **_shape_to_dict(step.shape), "evidence": step.evidence}


def _task_to_dict(task: TaskFacts) -> dict[str, object]:
    about: dict[str, object] = {"available": task.reason is None, "class": task.model_class}
    if task.reason is not None:
        return about | {"reason": task.reason}
    outputs = {name: _output_to_dict(output) for name, output in task.outputs.items()}
    return about | {"head": task.head, "labels": list(task.labels), "outputs": outputs}


def _layer_to_dict(layer: Layer) -> dict[str, object]:
    return {
        "name": layer.name,
        "class": layer.kind,
        "copies": layer.copies,
        "calls": layer.calls,
        "parameters": layer.parameters,
        **({"axes": None, "shape": None, "dtype": None} if layer.shape is None else _shape_to_dict(layer.shape)),
        "heads": None if layer.heads is None else list(layer.heads),
        "evidence": layer.evidence,
        "children": [_layer_to_dict(child) for child in layer.children],
    }
