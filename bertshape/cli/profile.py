"""`bertshape profile`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertshape.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator


def profile_command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Texts: lines, .jsonl, .csv, .tsv, .parquet; - reads stdin.")
    ],
    merge: Annotated[bool, typer.Option("--merge", help="Add up what profile --json wrote.")] = False,
    model: options.Model = None,
    revision: options.Revision = None,
    offline: options.Offline = False,
    column: Annotated[str, typer.Option(metavar="NAME", help="Column of the texts in CSV, TSV and Parquet.")] = "text",
    max_length: Annotated[int | None, typer.Option(min=1, help="One more length to cut at.")] = None,
    batch_size: Annotated[
        list[int] | None, typer.Option(min=1, help="Texts a batch; repeatable.  [default: 8, 32, 128]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON, which can be merged.")] = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Show what shapes a corpus will produce: lengths, truncation, padding, bytes."""

    def action() -> int:
        # Before the tokenizer is used: all cores are to work on its batches, unless somebody said otherwise.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        from bertshape.profiling import merge_profiles, profile_files, profile_to_json, read_profile
        from bertshape.profiling.run import BATCH_SIZES

        # Here objects are made without end: what the imports left is set aside, and the rest is collected as usual.
        gc.freeze()
        gc.enable()
        if merge:
            profile = merge_profiles([read_profile(Path(file)) for file in files])
        else:
            with _bar(shown=not as_json and sys.stderr.isatty()) as advance:
                profile = profile_files(
                    files,
                    model=model,
                    revision=revision,
                    offline=offline,
                    column=column,
                    max_length=max_length,
                    batch_sizes=batch_size or BATCH_SIZES,
                    progress=advance,
                )
        if as_json:
            sys.stdout.write(profile_to_json(profile))
            return 0
        from bertshape.cli.consoles import open_console, print_plain
        from bertshape.rendering.profile import render_profile

        console = open_console()
        unicode = console.encoding.lower().startswith("utf")
        print_plain(console, render_profile(profile, console.width, unicode=unicode))
        return 0

    return action


@contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[int], None]]:
    """A count of texts on stderr, and the function that advances it."""
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} texts"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("texts", total=None)
        yield lambda count: progress.advance(task, count)
