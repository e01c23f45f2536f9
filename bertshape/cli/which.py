"""`bertshape which`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.console import open_console, print_plain
from bertshape.cli.events import CommandEvents
from bertshape.cli.json_output import print_json
from bertshape.corpus.text_file import TextFile
from bertshape.errors import ExitCode
from bertshape.pipelines.request import ModelSource, RunOptions, device_name
from bertshape.pipelines.which import which
from bertshape.pipelines.which_request import SAMPLE, TOLERANCE, WhichRequest
from bertshape.render.tables import signs_of
from bertshape.render.which import render_which


def which_command(
    vectors: Annotated[
        Path,
        typer.Argument(metavar="VECTORS", help="Vectors: .npy, .npz, .safetensors, .parquet, .arrow, .jsonl or .csv."),
    ],
    text_file: Annotated[
        str, typer.Option("--texts", metavar="FILE", help="The texts they were made of, in the same order.")
    ],
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    timeout: options.Timeout = None,
    refresh: options.Refresh = False,
    vector_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Array, column or key of the vectors.  [default: the only one]")
    ] = None,
    input_format: options.InputFormat = None,
    text_column: options.TextColumn = "text",
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", metavar="TEXT", help="Try this prompt too, besides those of the checkpoint."),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Largest difference of a number that passes.")] = TOLERANCE,
    sample: Annotated[int, typer.Option(min=2, help="Texts to compare at most.")] = SAMPLE,
    declared: Annotated[
        bool, typer.Option("--declared", help="Exit with 1 where the recipe is not the declared one.")
    ] = False,
    device: options.Device = "auto",
    dtype: options.DType = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Find out how vectors were made: pooling, layers, prompt, cut, normalisation."""

    def action() -> int:
        request = WhichRequest(
            vectors=vectors,
            source=ModelSource(model, revision, offline, timeout, refresh),
            run=RunOptions(None, device_name(device), dtype),
            vector_column=vector_column,
            prompts=tuple(prompt or ()),
            tolerance=tolerance,
            sample=sample,
            declared=declared,
        )
        with CommandEvents(progress=sys.stderr.isatty()) as watching:
            report = which(request, TextFile(text_file, input_format, text_column), watching)
        if as_json:
            print_json(report.to_dict())
        else:
            console = open_console()
            print_plain(console, render_which(report, console.width, signs_of(console)))
        return ExitCode.OK if report.ok else ExitCode.FAILED

    return action
