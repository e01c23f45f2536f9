"""`bertshape doctor`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.console import open_console, print_plain, printed_to


def doctor_command(
    no_torch: Annotated[
        bool, typer.Option("--no-torch", help="Do not import torch and transformers; accelerators are left out.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask whether the Hub answers.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="How long the Hub may take to answer.")
    ] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show versions, devices, cache, Hub and terminal, and what each means for bertshape."""

    def action() -> int:
        from bertshape.errors import ExitCode, UsageError
        from bertshape.pipelines.doctor import diagnose, usable
        from bertshape.pipelines.doctor.fact import Fact
        from bertshape.pipelines.doctor.surroundings import Terminal
        from bertshape.render.doctor import render_area, render_verdict

        if math.isnan(timeout):  # which is neither too small nor too large
            raise UsageError("--timeout is not a number", hint="Pass seconds, such as 3.", code="timeout-invalid")
        console = open_console()
        terminal = Terminal(
            stdout=sys.stdout.isatty(),
            stderr=sys.stderr.isatty(),
            columns=console.width,
            color_system=console.color_system,
            encoding=console.encoding,
        )
        facts: list[Fact] = []
        for area in diagnose(terminal, torch=not no_torch, offline=offline, timeout=timeout):
            facts += area.facts
            if not as_json:  # at once: importing torch takes seconds
                print_plain(console, render_area(area, console.width))
        if as_json:
            from bertshape.cli.json_output import print_json
            from bertshape.render.json import doctor_document

            print_json(doctor_document(facts, usable=usable(facts)))
        else:
            print_plain(console, render_verdict(facts))
        return ExitCode.OK if usable(facts) else ExitCode.FAILED

    return printed_to(output, action)
