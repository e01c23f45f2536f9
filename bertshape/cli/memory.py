"""`bertshape memory`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Literal, get_args

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_model
from bertshape.cli.console import open_console, print_plain, printed_to
from bertshape.cli.json_output import print_json
from bertshape.cli.pages import format_of
from bertshape.errors import ExitCode
from bertshape.pipelines.memory import memory
from bertshape.pipelines.memory_request import BATCH_SIZE, MemoryRequest, parse_bytes
from bertshape.pipelines.model_source import ModelSource
from bertshape.render.memory import render_memory, render_memory_csv, render_memory_markdown
from bertshape.render.tables import signs_of

Format = Literal["table", "json", "markdown", "csv"]


def memory_command(
    checkpoint: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="Folder, Hub id or embedded: name.", autocompletion=complete_model),
    ],
    revision: options.Revision = None,
    offline: options.Offline = False,
    timeout: options.Timeout = None,
    refresh: options.Refresh = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts of a batch.")] = BATCH_SIZE,
    length: Annotated[
        int | None, typer.Option(min=1, help="Tokens of each text.  [default: 512, or what the model takes]")
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory, such as 24GB or 40GiB: show the largest batch that fits."),
    ] = None,
    as_json: options.JsonFlag = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the report.")] = "table",
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show how much memory a model takes, in inference and in training, without running it."""

    def action() -> int:
        chosen = format_of("json" if as_json else output_format, output, get_args(Format))
        source = ModelSource(checkpoint, revision, offline, timeout, refresh)
        room = None if fit is None else parse_bytes(fit, "--fit")
        report = memory(MemoryRequest(source, batch_size, length, room))
        if chosen == "json":
            print_json(report.to_dict())
        elif chosen == "table":
            console = open_console()
            print_plain(console, render_memory(report, console.width, signs_of(console)))
        else:
            sys.stdout.write((render_memory_csv if chosen == "csv" else render_memory_markdown)(report))
        return ExitCode.OK if report.ok else ExitCode.FAILED

    return printed_to(output, action)
