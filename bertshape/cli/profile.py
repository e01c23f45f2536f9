"""`bertshape profile`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from bertshape.cli import options
from bertshape.cli.console import open_console, print_plain
from bertshape.cli.events import CommandEvents
from bertshape.cli.json_output import print_json
from bertshape.cli.pages import format_of, page_of, shown_in
from bertshape.corpus.meter import Meter
from bertshape.corpus.text_file import TextFile
from bertshape.errors import ExitCode, UsageError
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.output_paths import check_inputs_stay
from bertshape.pipelines.profile import BATCH_SIZES, ProfileRequest, judge_cuts, parse_share, profile
from bertshape.report.profile import merge_profiles
from bertshape.report.read_profile import read_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.report.profile import ProfileReport

FormatChoice = Literal["table", "json", "markdown", "csv", "html"]


def profile_command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Texts: .txt, .jsonl, .csv, .tsv (also .gz), .parquet; - reads stdin."),
    ],
    merge: Annotated[bool, typer.Option("--merge", help="Add up what profile --json wrote.")] = False,
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    input_format: options.InputFormat = None,
    text_column: options.TextColumn = "text",
    pair_column: options.PairColumn = None,
    max_length: Annotated[int | None, typer.Option(min=1, help="One more length to cut at.")] = None,
    batch_size: Annotated[
        list[int] | None, typer.Option(min=1, help="Texts a batch; repeatable.  [default: 8, 32, 128]")
    ] = None,
    max_cut: options.MaxCut = None,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json, which can be merged.")] = False,
    output_format: Annotated[FormatChoice, typer.Option("--format", help="How to print the report.")] = "table",
    output: options.ReportFile = None,
    open_page: options.OpenPage = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show what shapes a corpus will produce: lengths, truncation, padding, bytes."""

    def action() -> int:
        # Before the tokenizer is used: all cores are to work on its batches, unless somebody said otherwise.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

        check_inputs_stay(output, files)
        given_format = "json" if as_json else output_format
        chosen = format_of(given_format, output, get_args(FormatChoice), opened=open_page)
        given = {
            "--model": model,
            "--revision": revision,
            "--offline": offline or None,
            "--input-format": input_format,
            "--text-column": None if text_column == "text" else text_column,
            "--pair-column": pair_column,
            "--max-length": max_length,
            "--batch-size": batch_size,
        }

        most = None if max_cut is None else parse_share(max_cut, "--max-cut")
        # Here objects are made without end: what the imports left is set aside, and the rest is collected as usual.
        gc.freeze()
        gc.enable()
        if merge:
            _refuse(given)
            report = merge_profiles([read_profile(Path(file)) for file in files])
        else:
            request = ProfileRequest(
                ModelSource(model, revision, offline), max_length, tuple(batch_size or BATCH_SIZES)
            )
            named = [TextFile(file, input_format, text_column, pair_column) for file in files]
            meter = Meter(named)
            with CommandEvents(progress=sys.stderr.isatty(), log=chosen != "json", meter=meter) as events:
                report = profile(request, named, events, meter)
        report = report if most is None else judge_cuts(report, most)
        _print(report, chosen)
        return ExitCode.FAILED if report.failed else ExitCode.OK

    return shown_in(output, action, opened=open_page)


def _refuse(given: Mapping[str, object]) -> None:
    """Counts that are there cannot be counted otherwise: an option that would be passed over is refused."""
    for option, value in given.items():
        if value is not None:
            what = f"--merge takes no {option}: the profiles were made with theirs"
            raise UsageError(what, hint=f"Leave {option} out, or profile the files anew.", code="merge-option")


def _print(report: ProfileReport, chosen: str) -> None:
    if chosen == "json":
        print_json(report.to_dict())
        return
    if chosen == "html":
        sys.stdout.write(page_of(report))
        return
    from bertshape.render.profile import render_profile, render_profile_csv, render_profile_markdown

    if chosen == "table":
        console = open_console()
        unicode = console.encoding.lower().startswith("utf")
        print_plain(console, render_profile(report, console.width, unicode=unicode))
    else:
        sys.stdout.write((render_profile_csv if chosen == "csv" else render_profile_markdown)(report))
