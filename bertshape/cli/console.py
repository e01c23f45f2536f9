"""The console on stdout."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from bertshape.cli.json_output import print_json
from bertshape.files import written_whole
from bertshape.pipelines.output_paths import check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import Console, RenderableType

_PAGE_COLUMNS = 100
_PIPE_COLUMNS = 200
"""Columns off a terminal, where nothing wraps and nobody sees the edge."""


def printed_to(path: Path | None, action: Callable[[], int]) -> Callable[[], int]:
    """The same work, what it prints on stdout going to a file where one is named.

    Args:
        path: The file; None for stdout.
        action: The work, which returns an exit code.
    """
    if path is None:
        return action

    def redirected() -> int:
        check_output(path, "the report")
        content = io.BytesIO()
        with io.TextIOWrapper(content, encoding="utf-8", newline="", write_through=True) as stream:
            with redirect_stdout(stream):
                code = action()
            with written_whole(path) as file:
                file.write(content.getvalue())
        return code

    return redirected


def open_console() -> Console:
    """The console on stdout; wide off a terminal, unless COLUMNS says otherwise."""
    # Rich takes 40 ms to import, a third of a check that prints JSON.
    from rich.console import Console

    columns = None
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        columns = _PIPE_COLUMNS
    return Console(file=sys.stdout, width=columns, highlight=False, markup=False, emoji=False)


def document_columns() -> int:
    """Columns of a document: COLUMNS if it is set, else as many as fit a page."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() and int(columns) > 0 else _PAGE_COLUMNS


def print_result(
    render: Callable[[Console], RenderableType], document: Callable[[], Mapping[str, object]] | None
) -> None:
    """Print what a command found.

    Args:
        render: What a console shows of it.
        document: The JSON document, where that is wanted.
    """
    if document is not None:
        print_json(document())
        return
    console = open_console()
    print_plain(console, render(console))


def print_plain(console: Console, renderable: RenderableType) -> None:
    """Print, without the blanks that pad table cells to the right where they are of no use."""
    if console.is_terminal:
        console.print(renderable, crop=False)
        return
    with console.capture() as capture:
        console.print(renderable, crop=False)
    text = "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
    if "GITHUB_ACTIONS" in os.environ:  # There a line that begins so is a command, whoever printed it.
        text = re.sub(r"(?m)^(\s*):(?=:)", r"\1\\x3a", text)
    console.file.write(text)
    console.file.flush()
