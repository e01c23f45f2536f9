"""`bertshape inspect`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NoReturn, get_args

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_pooling, complete_task
from bertshape.cli.pages import format_of, shown_in
from bertshape.cli.reports import run_one
from bertshape.cli.slips import check_texts, notes_on_texts
from bertshape.cli.stream import check_number, read_all, run_stream
from bertshape.corpus.text_file import TextFile
from bertshape.errors import UsageError
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.output_paths import check_inputs_stay
from bertshape.pipelines.request import (
    InspectionRequest,
    LengthOptions,
    Prompting,
    RunOptions,
    SaveOptions,
    Texts,
    Wanted,
)
from bertshape.render.escape import visible

Format = Literal["table", "json", "jsonl", "markdown", "svg", "html"]


def inspect_command(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Several texts make one batch.")] = None,
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    timeout: options.Timeout = None,
    refresh: options.Refresh = False,
    pair: Annotated[
        list[str] | None, typer.Option("--pair", metavar="TEXT", help="Second text; once for each TEXT.")
    ] = None,
    input_file: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE|-",
            help="Texts: .txt, .jsonl, .csv, .tsv (also .gz), .parquet; - reads stdin.",
        ),
    ] = None,
    input_format: options.InputFormat = None,
    text_column: options.TextColumn = "text",
    pair_column: options.PairColumn = None,
    id_column: options.IdColumn = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts per batch, where --input is streamed as jsonl.")] = 1,
    on_error: options.OnError = "stop",
    weights: Annotated[
        options.WeightsChoice | None,
        typer.Option(help="Run stored or random weights, or predict alone.  [default: checkpoint; random if embedded]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Same as --weights none: predict, run nothing.")] = False,
    device: options.Device = "auto",
    dtype: Annotated[
        options.DTypeChoice, typer.Option(help="Dtype of the parameters; auto: as transformers loads them.")
    ] = "auto",
    pooling: Annotated[
        list[str] | None,
        typer.Option(
            "--pooling",
            "-p",
            metavar="NAME",
            help="Pooling, such as mean, cls+max, mean@-2 or mean@-4:concat; several by comma.",
            autocompletion=complete_pooling,
        ),
    ] = None,
    max_length: options.MaxLength = None,
    truncation: options.Truncation = None,
    prompt_name: options.PromptName = None,
    prompt: options.Prompt = None,
    no_prompt: options.NoPrompt = False,
    padding: Annotated[options.PaddingChoice, typer.Option(help="How texts get one length.")] = "longest",
    hidden_states: Annotated[bool, typer.Option("--hidden-states", help="List every hidden state.")] = False,
    attentions: Annotated[bool, typer.Option("--attentions", help="Ask for attention weights too.")] = False,
    layers: Annotated[bool, typer.Option("--layers", help="Show the shapes inside the model.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Show mean, deviation, least, greatest, zeros of each tensor.")
    ] = False,
    words: Annotated[bool, typer.Option("--words", help="Show which tokens make a word.")] = False,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            metavar="NAME|all",
            help="Task head to put on the model, such as masked-lm; repeatable.",
            autocompletion=complete_task,
        ),
    ] = None,
    truncate_dim: options.TruncateDim = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the tensors to FILE.safetensors or FILE.npz.")
    ] = None,
    save_only: Annotated[
        list[str] | None,
        typer.Option("--save-only", metavar="PATTERN", help="Tensors to save, such as 'pooled.*'; repeatable."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say under each table how to read it, with sources.")
    ] = False,
    all_tokens: Annotated[bool, typer.Option("--all-tokens", help="Do not fold a long token list.")] = False,
    no_tokens: Annotated[
        bool, typer.Option("--no-tokens", help="Leave the lists of tokens out of JSON; their ids stay.")
    ] = False,
    as_json: options.JsonFlag = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the report.")] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors found.")] = False,
    output: options.ReportFile = None,
    open_page: options.OpenPage = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show the tokens, outputs and pooled vectors of one or more texts."""

    def action() -> int:
        _check_outputs(output, save, input_file)
        chosen = format_of("json" if as_json else output_format, output, get_args(Format), opened=open_page)
        _check_stats(chosen, asked=stats)
        chosen_weights = _weights(weights, dry_run=dry_run)
        named = TextFile("-" if input_file is None else input_file, input_format, text_column, pair_column, id_column)
        file = None if input_file is None else named
        streamed = file is not None and chosen == "jsonl" and not quiet
        given, pairs = _texts(texts, pair, None if streamed else file)
        if streamed and (given or pairs):
            _refuse_both()
        check_texts(texts or (), model)
        for note in notes_on_texts(texts or (), pooling or ()):
            sys.stderr.write(f"bertshape: note: {visible(note)}\n")
        if streamed and save is not None:
            hint = "Inspect the texts as one batch, with --json in place of --format jsonl."
            raise UsageError("--save writes one batch, and jsonl streams many", hint=hint, code="save-streamed")
        if on_error == "skip" and not streamed:
            hint = "Pass -i FILE --format jsonl, or leave it out."
            raise UsageError("--on-error skip goes with a stream of texts", hint=hint, code="on-error-batch")
        if save is None and save_only:
            hint = "Name the file that they go into: --save FILE.safetensors."
            raise UsageError("--save-only names tensors, and no --save is given", hint=hint, code="save-missing")
        request = InspectionRequest(
            texts=Texts(given, pairs),
            source=ModelSource(model, revision, offline, timeout, refresh),
            run=RunOptions(chosen_weights, device_name(device), dtype),
            prompting=Prompting(prompt_name, prompt, no_prompt),
            lengths=LengthOptions(max_length, truncation, padding),
            wanted=Wanted(
                options.listed(pooling), options.listed_tasks(task), layers, words, attentions, truncate_dim, stats
            ),
            save=None if save is None else SaveOptions(save, tuple(save_only or ()), hidden_states),
        )
        if streamed and file is not None:
            return run_stream(request, file, batch_size, skip=on_error == "skip", tokens=not no_tokens)
        layout = {"all_tokens": all_tokens, "hidden_states": hidden_states, "explain": explain}
        return run_one(request, "quiet" if quiet and not open_page else chosen, layout, tokens=not no_tokens)

    return shown_in(output, action, opened=open_page)


def _check_outputs(output: Path | None, save: Path | None, input_file: str | None) -> None:
    for path in (output, save):
        check_inputs_stay(path, [input_file] if input_file else [])
    if output is not None and save is not None and os.path.realpath(output) == os.path.realpath(save):
        hint = "Name another file for one of the two."
        raise UsageError(f"{save} is to hold the tensors and the report", hint=hint, code="save-path")


def _texts(texts: list[str] | None, pairs: list[str] | None, file: TextFile | None) -> tuple[tuple[str, ...], ...]:
    """Texts and pairs from the command line or from a file."""
    if file is None:
        check_number(len(texts or ()), "the command line")
        return tuple(texts or ()), tuple(pairs or ())
    if texts or pairs:
        _refuse_both()
    return read_all(file)


def _refuse_both() -> NoReturn:
    hint = "Pass one of the two."
    raise UsageError("texts are given on the command line and by --input", hint=hint, code="texts-twice")


def _check_stats(chosen: str, *, asked: bool) -> None:
    if asked and chosen in ("html", "markdown"):
        hint = "Leave out --stats, or print a table or JSON."
        raise UsageError(f"--stats is not shown in {chosen}", hint=hint, code="stats-format")


def _weights(weights: options.WeightsChoice | None, *, dry_run: bool) -> options.WeightsChoice | None:
    if dry_run and weights not in (None, "none"):
        hint = "Pass one of the two."
        raise UsageError(f"--dry-run runs nothing, and --weights {weights} runs", hint=hint, code="dry-run-weights")
    return "none" if dry_run else weights
