"""The JSON document, and a JSON line for each text. Never through Rich, which would wrap and colour it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from bertshape.report.to_dict import SCHEMA_VERSION, error_to_dict, sequence_to_dict, shapes_to_dict
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertshape.corpus.text_file import Record
    from bertshape.errors import BertshapeError
    from bertshape.pipelines.diff import Comparison
    from bertshape.pooling.strategy import Strategy
    from bertshape.predict.family import Family
    from bertshape.report.check import CheckReport
    from bertshape.report.report import Report


def render_json(report: Report) -> str:
    """One document, indented, ASCII alone, so that no terminal or pipe can harm it."""
    return json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n"


def render_jsonl(report: Report, first: int = 0, records: Sequence[Record] = ()) -> str:
    """A record for each text, on a line each: its tokens, and the shapes of the batch it ran in.

    Args:
        report: The report of a batch.
        first: Index of its first text, where it is one of several batches.
        records: The lines that the texts come from, where they come from a file.
    """
    shared = shapes_to_dict(report) | {"findings": [asdict(finding) for finding in report.findings]}
    lines = []
    for number, row in enumerate(report.tokenization.rows):
        source = {"line": records[number].line, "id": records[number].id} if records else {}
        record = {
            "schema_version": SCHEMA_VERSION,
            "ok": True,
            "index": first + number,
            **source,
            "model": report.checkpoint.name_or_path,
            **sequence_to_dict(row, report.has_token_types, words=report.words),
            **shared,
        }
        lines.append(json.dumps(record, allow_nan=False) + "\n")
    return "".join(lines)


def render_checks_json(reports: Sequence[CheckReport]) -> str:
    """The verdicts of `check` as one document; `passed` says whether all hold."""
    document = _envelope() | {
        "passed": all(report.passed for report in reports),
        "checkpoints": [_check_to_dict(report) for report in reports],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def render_comparison_json(comparison: Comparison) -> str:
    """What `diff` found, as one document."""
    return json.dumps(_envelope() | comparison.to_dict(), indent=2, allow_nan=False) + "\n"


def render_families_json(families: Sequence[Family]) -> str:
    """The table of families as one document."""
    rows = {
        family.model_type: {
            "pooler": "pooler_output" in family.outputs,
            "token_type_ids": family.token_type_ids,
            "length": family.length,
            "unbounded_when": family.unbounded_when,
            "outputs": list(family.outputs),
            "observed_only": list(family.ever_observed_only),
        }
        for family in families
    }
    return json.dumps(_envelope() | {"families": rows}, indent=2) + "\n"


def render_poolings_json(strategies: Iterable[Strategy], grammar: str) -> str:
    """The table of strategies as one document."""
    rows = {
        strategy.name: {
            "axes": list(strategy.axes),
            "formula": strategy.formula,
            "over": strategy.over(),
            "source": strategy.source,
        }
        for strategy in strategies
    }
    document = _envelope() | {"grammar": grammar, "poolings": rows}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def render_error(error: BertshapeError, *, lines: bool = False) -> str:
    """The error document; on one line where the format is lines."""
    return json.dumps(error_to_dict(error), indent=None if lines else 2, allow_nan=False) + "\n"


def _envelope() -> dict[str, object]:
    return {"schema_version": SCHEMA_VERSION, "ok": True, "bertshape": __version__}


def _check_to_dict(report: CheckReport) -> dict[str, object]:
    if report.error is not None:
        return {"name": report.name, "passed": False, "error": error_to_dict(report.error)["error"]}
    return {
        "name": report.name,
        "passed": report.passed,
        "facts": dict(report.summary),
        "tensors": {"stored": report.stored_tensors, "backbone": report.backbone_tensors},
        "bytes": {"read": report.bytes_read, "weights": report.weight_bytes},
        "findings": [asdict(finding) for finding in report.findings],
        "outcomes": [
            {"name": outcome.name, "passed": not outcome.problems, "problems": list(outcome.problems)}
            for outcome in report.outcomes
        ],
    }
