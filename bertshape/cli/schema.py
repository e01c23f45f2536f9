"""`bertshape schema`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.console import printed_to
from bertshape.cli.pages import format_of
from bertshape.report.documents import DOCUMENTS
from bertshape.report.json_schema import build_schema

_DOCUMENTS = ", ".join("record (a line of jsonl)" if name == "record" else name for name in DOCUMENTS)


def complete_document(incomplete: str) -> list[str]:
    """Documents that have a schema."""
    return [name for name in DOCUMENTS if name.startswith(incomplete)]


def schema_command(
    document: Annotated[
        str | None,
        typer.Argument(
            metavar="DOCUMENT",
            help=f"One document alone, of {_DOCUMENTS}.  [default: all]",
            autocompletion=complete_document,
        ),
    ] = None,
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Print the JSON Schema of what --json prints."""

    def action() -> int:
        format_of("table", output, ("json",))
        sys.stdout.write(json.dumps(build_schema(document), indent=2, allow_nan=False) + "\n")
        return 0

    return printed_to(output, action)
