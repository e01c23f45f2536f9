"""The report: plain Python, frozen, and its JSON document. It knows nothing of tensors or of how it is shown."""

from bertshape.report.document import SCHEMA_VERSION, error_to_dict, report_to_dict, sequence_to_dict, shapes_to_dict
from bertshape.report.facts import (
    CheckpointFacts,
    Evidence,
    HeadVerdict,
    OutputFacts,
    PooledFacts,
    PoolerVerdict,
    Report,
    Run,
    StepFacts,
    TaskFacts,
    Weights,
)
from bertshape.report.finding import Finding, Severity

__all__ = [
    "SCHEMA_VERSION",
    "CheckpointFacts",
    "Evidence",
    "Finding",
    "HeadVerdict",
    "OutputFacts",
    "PooledFacts",
    "PoolerVerdict",
    "Report",
    "Run",
    "Severity",
    "StepFacts",
    "TaskFacts",
    "Weights",
    "error_to_dict",
    "report_to_dict",
    "sequence_to_dict",
    "shapes_to_dict",
]
