"""The documents of `inspect`: the whole report, and a line of it for each text. Plain dicts and lists."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bertshape.report.envelope import SCHEMA_VERSION, envelope
from bertshape.tokens.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bertshape.corpus.text_file import Record
    from bertshape.report import (
        documents,
        documents_checkpoint,
        documents_common,
        documents_tensors,
        documents_texts,
    )
    from bertshape.report.finding import Finding
    from bertshape.report.layer import Layer
    from bertshape.report.report import CheckpointFacts, OutputFacts, PooledFacts, Report, StepFacts, TaskFacts
    from bertshape.shapes import TensorShape
    from bertshape.tokens.batch import Row, Token


def inspect_document(report: Report, *, tokens: bool = True) -> documents.InspectDocument:
    """The whole report.

    Args:
        report: The report.
        tokens: Whether texts have the list of their tokens; their ids they have in any case.
    """
    run = report.run
    return {
        **envelope(ok=not report.failed),
        "checkpoint": _checkpoint(report.checkpoint),
        "run": {
            "executed": run.executed,
            "device": run.device,
            "dtype": run.dtype,
            "torch": run.torch,
            "transformers": run.transformers,
        },
        "sequences": [_sequence(row, report, tokens=tokens) for row in report.tokenization.rows],
        **_shapes(report),
    }


def record_documents(
    report: Report, records: Mapping[int, Record] | None = None, *, tokens: bool = True
) -> Iterator[documents.RecordDocument]:
    """A document for each text: its tokens, and the shapes of the batch it ran in.

    Args:
        report: The report of a batch.
        records: The lines that the texts come from, where they come from a file, by their numbers in it.
        tokens: Whether texts have the list of their tokens.
    """
    shapes, rows = _shapes(report), report.tokenization.rows
    for index, row in zip(records or range(len(rows)), rows, strict=True):
        source: documents.RecordSource = {}
        if records:
            source = {"line": records[index].line, "id": records[index].id}
        yield {
            "schema_version": SCHEMA_VERSION,
            "ok": not report.failed,
            "index": index,
            **source,
            "model": report.checkpoint.model,
            **_sequence(row, report, tokens=tokens),
            **shapes,
        }


def _value(value: float | str | None) -> float | str | None:
    """A number as a number where JSON has it; what a file wrote in its place, such as `true`, as text."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if value is None or number else str(value)


def finding_entries(findings: Iterable[Finding]) -> list[documents_common.Finding]:
    """Findings as documents hold them."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            "hint": finding.hint,
            "where": finding.where,
            "expected": _value(finding.expected),
            "actual": _value(finding.actual),
        }
        for finding in findings
    ]


def limit_entries(limits: Mapping[str, int | None]) -> list[documents_checkpoint.LengthLimit]:
    """Declared limits as documents hold them; `effective`, which no file declares, has a field of its own."""
    entries: list[documents_checkpoint.LengthLimit] = []
    for where, limit in limits.items():
        file, _, field = where.partition(" ")
        if field and limit is not None:
            entries.append({"file": file, "field": field, "limit": limit})
    return entries


def tensor_entry(shape: TensorShape) -> documents_common.SizedTensor:
    """A shape as documents hold it."""
    return {"axes": list(shape.axes), "shape": list(shape.sizes), "dtype": shape.dtype, "bytes": shape.bytes}


def _checkpoint(facts: CheckpointFacts) -> documents_checkpoint.Checkpoint:
    return {
        "model": facts.model,
        "source": facts.source,
        "revision": facts.revision,
        "model_type": facts.model_type,
        "architecture": facts.architecture,
        "weights": facts.weights,
        "dtype": facts.dtype,
        "parameters": facts.parameters,
        "dimensions": facts.dimensions,
        "length_limits": limit_entries(facts.length_limits),
        "effective_limit": facts.length_limits["effective"],
        "sentence_embedding": facts.sentence_embedding,
        "pooler": facts.pooler,
    }


def _sequence(row: Row, report: Report, *, tokens: bool) -> documents_texts.Sequence:
    sequence: documents_texts.Sequence = {
        "text": row.text,
        "pair": row.pair,
        "length": row.content + row.special,
        "content": row.content,
        "special": row.special,
        "padding": row.padding,
        "unknown": row.unknown,
        "truncated": row.truncated,
        "input_ids": [token.input_id for token in row.tokens],
    }
    if tokens:
        segments = report.has_token_types
        sequence["tokens"] = [_token(token, segments=segments) for token in row.tokens]
    if report.words:
        sequence["words"] = _words(row)
    return sequence


def _token(token: Token, *, segments: bool) -> documents_texts.Token:
    """One position; token_type_id is null where the model takes none."""
    return {
        "position": token.position,
        "token": token.token,
        "input_id": token.input_id,
        "attention_mask": token.attention_mask,
        "token_type_id": token.token_type_id if segments else None,
        "special": token.special,
        "kind": token.kind,
        "sequence_id": token.sequence_id,
        "word_id": token.word_id,
        "offset": None if token.offset is None else list(token.offset),
    }


def _words(row: Row) -> list[documents_texts.Word]:
    return [
        {
            "index": word.index,
            "sequence_id": word.sequence_id,
            "text": word.text,
            "tokens": list(word.tokens),
            "positions": list(word.positions),
            "offset": None if word.offset is None else list(word.offset),
        }
        for word in words_of(row)
    ]


def _shapes(report: Report) -> documents.Shapes:
    """What all texts of the batch share; tasks and layers where they were asked for."""
    batch = report.tokenization
    shapes: documents.Shapes = {
        "inputs": {
            "batch_size": batch.batch_size,
            "sequence_length": batch.sequence_length,
            "padding": batch.padding,
            "padding_side": batch.padding_side,
            "truncation": batch.truncation,
            "max_length": batch.max_length,
            "tensors": {
                name: {"axes": list(shape.axes), "shape": list(shape.sizes), "dtype": shape.dtype}
                for name, shape in report.inputs.items()
            },
        },
        "outputs": {name: _output(output) for name, output in report.outputs.items()},
        "pooled": {name: _pooled(pooled) for name, pooled in report.pooled.items()},
        "embedding": [_step(step) for step in report.embedding],
        "findings": finding_entries(report.findings),
    }
    if report.tasks:
        shapes["tasks"] = {name: _task(task) for name, task in report.tasks.items()}
    if report.layers is not None:
        shapes["layers"] = _layer(report.layers)
    return shapes


def _output(output: OutputFacts) -> documents_tensors.Output:
    """One output; `bytes` counts all tensors of a tuple."""
    return {
        **tensor_entry(output.shape),
        "bytes": output.bytes,
        "evidence": output.evidence,
        "count": output.count,
        "labels": list(output.labels),
        "each": [list(sizes) for sizes in output.each],
        "dtypes": list(output.dtypes),
        "statistics": output.statistics.to_dict() if output.statistics else None,
        "statistics_of_each": [numbers.to_dict() for numbers in output.statistics_of_each],
    }


def _pooled(pooled: PooledFacts) -> documents_tensors.PooledVector:
    shape = pooled.shape
    return {
        "available": shape is not None,
        "reason": pooled.reason,
        "axes": None if shape is None else list(shape.axes),
        "shape": None if shape is None else list(shape.sizes),
        "dtype": None if shape is None else shape.dtype,
        "bytes": None if shape is None else shape.bytes,
        "evidence": None if shape is None else pooled.evidence,
        "formula": pooled.formula,
        "over": pooled.over,
        "counts": {name: list(values) for name, values in pooled.counts.items()},
        "declared": pooled.declared,
        "statistics": pooled.statistics.to_dict() if pooled.statistics else None,
    }


def _step(step: StepFacts) -> documents_tensors.EmbeddingStep:
    shape = step.shape
    return {
        "step": step.name,
        "formula": step.formula,
        "available": shape is not None,
        "reason": step.reason,
        "axes": None if shape is None else list(shape.axes),
        "shape": None if shape is None else list(shape.sizes),
        "dtype": None if shape is None else shape.dtype,
        "evidence": None if shape is None else step.evidence,
    }


def _task(task: TaskFacts) -> documents_tensors.TaskHead:
    return {
        "available": task.reason is None,
        "reason": task.reason,
        "class_name": task.model_class,
        "head": task.head,
        "labels": list(task.labels),
        "outputs": {name: _output(output) for name, output in task.outputs.items()},
    }


def _layer(layer: Layer) -> documents_tensors.Layer:
    shape = layer.shape
    return {
        "name": layer.name,
        "class_name": layer.kind,
        "copies": layer.copies,
        "calls": layer.calls,
        "parameters": layer.parameters,
        "axes": None if shape is None else list(shape.axes),
        "shape": None if shape is None else list(shape.sizes),
        "dtype": None if shape is None else shape.dtype,
        "heads": None if layer.heads is None else list(layer.heads),
        "evidence": layer.evidence,
        "children": [_layer(child) for child in layer.children],
    }
