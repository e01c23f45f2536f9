"""`bertshape doctor`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from bertshape.cli import options
from bertshape.cli.console import print_result, printed_to
from bertshape.cli.pages import is_json
from bertshape.errors import ExitCode, UsageError
from bertshape.pipelines.doctor import diagnose, usable
from bertshape.render.doctor import render_diagnosis
from bertshape.render.json import doctor_document


def doctor_command(
    everything: Annotated[bool, typer.Option("--all", help="Show everything that was looked at.")] = False,
    no_torch: Annotated[
        bool, typer.Option("--no-torch", help="Do not import torch and transformers; accelerators are left out.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask whether the Hub answers.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="How long the Hub may take to answer.")
    ] = 3,
    as_json: options.JsonFlag = False,
    output_format: options.TableFormat = "table",
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show whether bertshape works here, and what each problem means."""

    def action() -> int:
        wanted = is_json(output_format, output, as_json=as_json)
        if math.isnan(timeout):  # which is neither too small nor too large
            raise UsageError("--timeout is not a number", hint="Pass seconds, such as 3.", code="timeout-invalid")
        with Console(file=sys.stderr).status("importing torch, asking the Hub"):  # nothing off a terminal
            facts = list(diagnose(torch=not no_torch, offline=offline, timeout=timeout))
        print_result(
            lambda console: render_diagnosis(facts, console.width, everything=everything),
            (lambda: doctor_document(facts, usable=usable(facts))) if wanted else None,
        )
        return ExitCode.OK if usable(facts) else ExitCode.FAILED

    return printed_to(output, action)
