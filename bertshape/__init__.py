"""What comes out of a BERT checkpoint, in which shape, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertshape.api import inspect_texts
    from bertshape.errors import BertshapeError, ExitCode
    from bertshape.pipelines.inspect import inspect
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.report.finding import Finding
    from bertshape.report.report import Report

__version__ = "0.1.0"

__all__ = [
    "BertshapeError",
    "ExitCode",
    "Finding",
    "InspectionRequest",
    "Report",
    "__version__",
    "inspect",
    "inspect_texts",
]

_HOMES = {
    "BertshapeError": "errors",
    "ExitCode": "errors",
    "Finding": "report.finding",
    "InspectionRequest": "pipelines.request",
    "Report": "report.report",
    "inspect": "pipelines.inspect",
    "inspect_texts": "api",
}


def __getattr__(name: str) -> Any:
    # Imported when first used (PEP 562): `bertshape --version` and `--help` need none of it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
