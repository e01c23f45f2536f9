"""`bertshape embed`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_pooling
from bertshape.cli.progress import count_texts


def embed_command(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Texts: one a line, or JSONL with text and pair.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write: FILE.safetensors or FILE.npz.")
    ],
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            "--pool",
            metavar="NAME",
            help="Pooling; repeatable.  [default: what the checkpoint declares]",
            autocompletion=complete_pooling,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts that run together.")] = 32,
    weights: Annotated[
        options.RunnableChoice | None,
        typer.Option(help="Run stored or random weights.  [default: checkpoint; random if embedded]"),
    ] = None,
    device: options.Device = "auto",
    dtype: Annotated[
        options.DTypeChoice, typer.Option(help="Dtype of the parameters; auto: as stored, float16 on a CUDA device.")
    ] = "auto",
    max_length: options.MaxLength = None,
    truncation: options.Truncation = None,
    truncate_dim: options.TruncateDim = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Write the vector of every text of a file, by any number of pooling strategies at once."""

    def action() -> int:
        from bertshape.corpus.records import open_texts, read_records
        from bertshape.pipelines.embed import embed
        from bertshape.pipelines.request import InspectionRequest

        request = InspectionRequest(
            texts=(),
            model=model,
            revision=revision,
            offline=offline,
            weights=weights,
            device=device,
            dtype=dtype,
            pool=tuple(pool or ()),
            max_length=max_length,
            truncation=truncation,
            truncate_dim=truncate_dim,
            save=output,
            progress=not as_json and sys.stderr.isatty(),
        )
        with open_texts(file) as (stream, name), count_texts(shown=request.progress) as advance:
            report = embed(request, read_records(stream, name), name, batch_size=batch_size, progress=advance)
        if as_json:
            import json

            sys.stdout.write(json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n")
            return 0
        from bertshape.cli.console import open_console, print_plain
        from bertshape.render.embed import render_vectors

        console = open_console()
        print_plain(console, render_vectors(report, console.width))
        return 0

    return action
