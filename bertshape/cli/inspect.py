"""`bertshape inspect`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from bertshape.cli import options
from bertshape.cli.texts import read_all, run_stream
from bertshape.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from bertshape.report import Report
    from bertshape.request import InspectionRequest

Format = Literal["table", "json", "jsonl", "markdown"]


def inspect_command(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Several texts make one batch.")] = None,
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    pair: Annotated[
        list[str] | None, typer.Option("--pair", metavar="TEXT", help="Second text; once for each TEXT.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="PATH|-", help="Texts: one a line, or JSONL with text and pair."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts a batch, where --file is streamed as jsonl.")] = 1,
    weights: Annotated[
        options.WeightsChoice | None,
        typer.Option(help="Run stored or random weights, or predict alone.  [default: checkpoint; random if embedded]"),
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda[:N]|mps", help="Where to run.")] = "auto",
    dtype: Annotated[options.DTypeChoice, typer.Option(help="Dtype of the parameters; auto: as stored.")] = "auto",
    pool: Annotated[
        list[str] | None,
        typer.Option("--pool", metavar="NAME", help="Pooling to show, such as mean or cls+max; repeatable."),
    ] = None,
    max_length: Annotated[int | None, typer.Option(min=1, help="Tokens a text may have; cuts longer ones.")] = None,
    truncation: Annotated[
        bool | None,
        typer.Option("--truncation/--no-truncation", help="Cut texts that are too long.  [default: if --max-length]"),
    ] = None,
    padding: Annotated[options.PaddingChoice, typer.Option(help="How texts get one length.")] = "longest",
    hidden_states: Annotated[bool, typer.Option("--hidden-states", help="List every hidden state.")] = False,
    attentions: Annotated[bool, typer.Option("--attentions", help="Ask for attention weights too.")] = False,
    all_tokens: Annotated[bool, typer.Option("--all-tokens", help="Do not fold a long token list.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the report.")] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors found.")] = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show the tokens, outputs and pooled vectors of one or more texts."""

    def action() -> int:
        from bertshape.request import InspectionRequest

        chosen: Format = "json" if as_json else output_format
        streamed = file is not None and chosen == "jsonl" and not quiet
        given, pairs = _texts(texts, pair, None if streamed else file)
        if streamed and (given or pairs):
            _refuse_both()
        request = InspectionRequest(
            texts=given,
            pairs=pairs,
            model=model,
            revision=revision,
            offline=offline,
            weights=weights,
            device=device,
            dtype=dtype,
            pool=tuple(pool or ()),
            max_length=max_length,
            truncation=truncation,
            padding=padding,
            attentions=attentions,
            progress=chosen == "table" and not quiet and sys.stderr.isatty(),
        )
        if streamed and file is not None:
            return run_stream(request, file, batch_size)
        if quiet:
            return _run_quiet(request)
        if chosen == "table":
            return _run_table(request, all_tokens=all_tokens, hidden_states=hidden_states)
        return _run_whole(request, chosen)

    return action


def _texts(texts: list[str] | None, pairs: list[str] | None, file: str | None) -> tuple[tuple[str, ...], ...]:
    """Texts and pairs from the command line or from a file."""
    if file is None:
        return tuple(texts or ()), tuple(pairs or ())
    if texts or pairs:
        _refuse_both()
    return read_all(file)


def _refuse_both() -> NoReturn:
    hint = "Pass one of the two."
    raise UsageError("texts are given on the command line and by --file", hint=hint, code="texts-twice")


def _run_table(request: InspectionRequest, *, all_tokens: bool, hidden_states: bool) -> int:
    from bertshape.cli.consoles import open_console
    from bertshape.cli.screen import InspectionScreen
    from bertshape.inspection import inspect

    screen = InspectionScreen(open_console(), all_tokens=all_tokens, hidden_states=hidden_states)
    try:
        report = inspect(request, on_prediction=screen.begin, on_run=screen.draw)
        screen.end(report)
    finally:
        screen.close()
    return _exit_code(report)


def _run_whole(request: InspectionRequest, chosen: Format) -> int:
    from bertshape.inspection import inspect

    report = inspect(request)
    if chosen == "markdown":
        from bertshape.rendering.markdown import render_markdown as render
    elif chosen == "jsonl":
        from bertshape.rendering.json import render_jsonl as render
    else:
        from bertshape.rendering.json import render_json as render
    sys.stdout.write(render(report))
    return _exit_code(report)


def _run_quiet(request: InspectionRequest) -> int:
    from bertshape.inspection import inspect
    from bertshape.rendering.escape import visible

    report = inspect(request)
    for finding in report.findings:
        if finding.severity == "error":
            sys.stdout.write(f"error {visible(finding.message)}\n")
    return _exit_code(report)


def _exit_code(report: Report) -> int:
    return ExitCode.FAILED if report.failed else ExitCode.OK
