"""`bertshape diff`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, get_args

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_model
from bertshape.cli.console import open_console, print_plain
from bertshape.cli.events import watch
from bertshape.cli.json_output import print_json
from bertshape.cli.pages import format_of, page_of, shown_in
from bertshape.cli.progress import count_bytes
from bertshape.corpus.text_file import TextFile
from bertshape.errors import ExitCode, UsageError
from bertshape.pipelines.diff import diff
from bertshape.pipelines.diff_sides import source_of
from bertshape.pipelines.drift import drift
from bertshape.pipelines.profile import parse_share
from bertshape.render.diff import render_comparison
from bertshape.render.diff_export import render_comparison_csv, render_comparison_markdown
from bertshape.render.tables import signs_of

Format = Literal["table", "json", "csv", "markdown", "html"]
_SIDE = "Folder, Hub id (NAME@REVISION for one of its revisions), embedded: name or contract file (.toml)."


def diff_command(
    before: Annotated[str, typer.Argument(metavar="A", help=_SIDE, autocompletion=complete_model)],
    after: Annotated[str, typer.Argument(metavar="B", help=_SIDE, autocompletion=complete_model)],
    values: Annotated[
        bool, typer.Option("--values", help="Compare the stored numbers too; reads all weights.")
    ] = False,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="TEXT", help="Compare what both give for TEXT too; repeatable. Runs both."),
    ] = None,
    text_file: Annotated[
        str | None,
        typer.Option("--texts", metavar="FILE", help="Compare what both make of the texts of FILE: ids, vectors."),
    ] = None,
    input_format: options.InputFormat = None,
    text_column: options.TextColumn = "text",
    max_drift: Annotated[
        str | None,
        typer.Option(metavar="N%", help="Exit with 1 where more of --texts change, and for no other difference."),
    ] = None,
    offline: options.Offline = False,
    as_json: options.JsonFlag = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the differences.")] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code says it.")] = False,
    output: options.ReportFile = None,
    open_page: options.OpenPage = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show what differs between two checkpoints: dimensions, tokenizer, pooling, tensors."""

    def action() -> int:
        chosen = format_of("json" if as_json else output_format, output, get_args(Format), opened=open_page)
        most = None if max_drift is None else parse_share(max_drift, "--max-drift")
        with count_bytes(shown=values) as read, watch() as watching:
            comparison = diff(before, after, text or (), offline=offline, values=values, read=read, events=watching)
            if text_file is not None:
                texts = TextFile(text_file, input_format, text_column)
                both = source_of(before, offline), source_of(after, offline)
                comparison = replace(comparison, drift=drift(both, texts, most, watching))
        if quiet and not open_page:
            pass
        elif chosen == "json":
            print_json(comparison.to_dict())
        elif chosen == "html":
            sys.stdout.write(page_of(comparison))
        elif chosen == "csv":
            sys.stdout.write(render_comparison_csv(comparison))
        elif chosen == "markdown":
            sys.stdout.write(render_comparison_markdown(comparison))
        else:
            console = open_console()
            print_plain(console, render_comparison(comparison, console.width, signs_of(console)))
        return ExitCode.OK if comparison.ok else ExitCode.FAILED

    if max_drift is not None and text_file is None:
        hint = "bertshape diff A B --texts corpus.txt --max-drift 1%"
        raise UsageError("--max-drift counts texts, and there are none", hint=hint, code="drift-without-texts")
    return shown_in(output, action, opened=open_page)
