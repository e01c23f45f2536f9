"""`bertshape which`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_model
from bertshape.cli.console import print_result, printed_to
from bertshape.cli.events import CommandEvents
from bertshape.cli.pages import format_of, is_json
from bertshape.corpus.text_file import TextFile
from bertshape.errors import ExitCode, UsageError
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.probes import probes_of
from bertshape.pipelines.request import RunOptions
from bertshape.pipelines.which import which
from bertshape.pipelines.which_request import SAMPLE, TOLERANCE, WhichRequest
from bertshape.render.tables import signs_of
from bertshape.render.which import render_which


def which_command(
    vectors: Annotated[
        Path | None,
        typer.Argument(metavar="VECTORS", help="Vectors: .npy, .npz, .safetensors, .parquet, .arrow, .jsonl or .csv."),
    ] = None,
    text_file: Annotated[
        str | None,
        typer.Option(
            "--texts",
            metavar="FILE",
            help="The texts they were made of, in the same order.  [default: the built-in probes]",
        ),
    ] = None,
    probes: Annotated[
        bool, typer.Option("--probes", help="Write texts that tell recipes apart, for somebody to make vectors of.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="DIR|HUB_ID",
            help="The model that is thought to have made them: a folder or a Hub id.",
            autocompletion=complete_model,
        ),
    ] = None,
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
    as_json: options.JsonFlag = False,
    output_format: options.TableFormat = "table",
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Find out how vectors were made: pooling, layers, prompt, cut, normalisation."""
    source = ModelSource(model, revision, offline, timeout, refresh)

    def write_probes() -> int:
        lines = format_of("jsonl" if as_json else "table", output, ("jsonl",)) == "jsonl"
        for text in probes_of(source):
            sys.stdout.write(f"{json.dumps({'text': text}, ensure_ascii=False) if lines else text}\n")
        return ExitCode.OK

    def action() -> int:
        wanted = is_json(output_format, output, as_json=as_json)
        request = WhichRequest(
            vectors=_needed(vectors),
            source=source,
            run=RunOptions(None, device_name(device), dtype),
            vector_column=vector_column,
            prompts=tuple(prompt or ()),
            tolerance=tolerance,
            sample=sample,
            declared=declared,
        )
        texts = TextFile(text_file, input_format, text_column) if text_file is not None else None
        with CommandEvents(progress=sys.stderr.isatty(), log=not wanted) as watching:
            report = which(request, texts, watching)
        print_result(
            lambda console: render_which(report, console.width, signs_of(console)),
            report.to_dict if wanted else None,
        )
        return ExitCode.OK if report.ok else ExitCode.FAILED

    if probes and (vectors is not None or text_file is not None):
        hint = "Leave out --probes, or the files: bertshape which --probes -m MODEL -o probes.txt."
        raise UsageError("--probes writes texts, and reads neither vectors nor texts", hint=hint, code="probes-alone")
    return printed_to(output, write_probes if probes else action)


def _needed(vectors: Path | None) -> Path:
    if vectors is None:
        hint = "bertshape which vectors.npy --texts texts.txt -m MODEL"
        raise UsageError("which needs a file of vectors", hint=hint, code="vectors-missing")
    return vectors
