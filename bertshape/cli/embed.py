"""`bertshape embed`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_pooling
from bertshape.cli.console import print_result
from bertshape.cli.events import CommandEvents
from bertshape.cli.pages import is_json
from bertshape.corpus.meter import Meter
from bertshape.corpus.read import read_all_lines
from bertshape.corpus.text_file import TextFile
from bertshape.errors import ExitCode
from bertshape.pipelines.embed import embed
from bertshape.pipelines.embed_request import EmbedRequest
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.output_paths import check_inputs_stay
from bertshape.pipelines.request import LengthOptions, Prompting, RunOptions, SaveOptions
from bertshape.render.embed import render_embed
from bertshape.render.tables import signs_of


def embed_command(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="Texts: .txt, .jsonl, .csv, .tsv (also .gz), .parquet; - reads stdin."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write; the ending names the format.",
        ),
    ],
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    timeout: options.Timeout = None,
    refresh: options.Refresh = False,
    pooling: Annotated[
        list[str] | None,
        typer.Option(
            "--pooling",
            "-p",
            metavar="NAME",
            help="Pooling; several by comma, or repeat it.  [default: what the checkpoint declares]",
            autocompletion=complete_pooling,
        ),
    ] = None,
    input_format: options.InputFormat = None,
    text_column: options.TextColumn = "text",
    pair_column: options.PairColumn = None,
    id_column: options.IdColumn = None,
    on_error: options.OnError = "stop",
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Texts that run together.  [default: as many as have some thousand tokens]"),
    ] = None,
    weights: Annotated[
        options.RunnableChoice | None,
        typer.Option(help="Run stored or random weights.  [default: checkpoint; random if embedded]"),
    ] = None,
    device: options.Device = "auto",
    dtype: options.DType = "auto",
    max_length: options.MaxLength = None,
    truncation: options.Truncation = None,
    prompt_name: options.PromptName = None,
    prompt: options.Prompt = None,
    no_prompt: options.NoPrompt = False,
    truncate_dim: options.TruncateDim = None,
    allow_unsound: Annotated[
        bool, typer.Option("--allow-unsound", help="Write vectors of a model that inspect calls unsound too.")
    ] = False,
    verify: Annotated[
        int | None,
        typer.Option("--verify", metavar="N", min=1, help="Give N texts to sentence-transformers too, and compare."),
    ] = None,
    as_json: options.JsonFlag = False,
    output_format: options.TableFormat = "table",
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Write one vector for every text of a file, by any number of pooling strategies at once."""

    def action() -> int:
        wanted = is_json(output_format, None, as_json=as_json)
        request = EmbedRequest(
            save=SaveOptions(output),
            source=ModelSource(model, revision, offline, timeout, refresh),
            run=RunOptions(weights, device_name(device), dtype),
            prompting=Prompting(prompt_name, prompt, no_prompt),
            lengths=LengthOptions(max_length, truncation),
            pooling=options.listed(pooling),
            truncate_dim=truncate_dim,
            batch_size=batch_size,
            allow_unsound=allow_unsound,
            verify=verify,
            skip=on_error == "skip",
        )
        check_inputs_stay(output, [file])
        texts = TextFile(file, input_format, text_column, pair_column, id_column)
        meter = Meter([texts])
        with CommandEvents(progress=sys.stderr.isatty(), log=not wanted, meter=meter) as watching:
            report = embed(request, read_all_lines(texts, meter), texts.name, watching)
        print_result(
            lambda console: render_embed(report, console.width, signs_of(console)), report.to_dict if wanted else None
        )
        return ExitCode.OK if report.ok else ExitCode.FAILED

    return action
