"""`bertshape snapshot`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bertshape.checkpoint.own_files import is_of_checkpoint
from bertshape.cli import options
from bertshape.cli.completion import complete_model
from bertshape.cli.pages import format_of
from bertshape.cli.progress import count_bytes
from bertshape.contract.read import PROJECT_NAME, read_contract
from bertshape.contract.write import write_contract
from bertshape.errors import BertshapeError, UsageError
from bertshape.files import folder_of, is_replaced, read_text, written_whole
from bertshape.pipelines.snapshot import seen_from, snapshot, update_snapshot
from bertshape.render.escape import visible
from bertshape.wording import counted


def snapshot_command(
    checkpoint: Annotated[
        str,
        typer.Argument(metavar="CHECKPOINT", help="Folder, Hub id or embedded: name.", autocompletion=complete_model),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.  [default: stdout]")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", metavar="TEXT", help="One more text to write down; repeatable.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Bring FILE up to date: comments and what you added stay.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE, whatever it holds.")] = False,
    values: Annotated[
        bool, typer.Option("--values", help="Write down digests of the stored numbers too; reads all weights.")
    ] = False,
    revision: options.Revision = None,
    offline: options.Offline = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Write the contract of a checkpoint, for `check` to compare it with."""

    def action() -> int:
        _check(output, update=update, force=force)
        wanted: dict[str, Any] = {"revision": revision, "offline": offline, "texts": text or (), "values": values}
        if output is not None and update and is_replaced(output):
            with count_bytes(shown=True) as read:
                new = update_snapshot(output, checkpoint, read=read, **wanted)
            if new.changes:
                _write(output, new.text)
            head = f"{output}: {counted(len(new.changes), 'change') if new.changes else 'no changes'}"
            lines = (head, *(f"  {line}" for line in (*new.changes, *new.kept)))
            sys.stdout.write("".join(f"{visible(line)}\n" for line in lines))
            return 0
        with count_bytes(shown=values) as read:
            contract = snapshot(checkpoint, read=read, **wanted)
        written = write_contract([seen_from(folder_of(output), contract)])
        if output is None:
            sys.stdout.write(written)
        elif force or not _holds(output, written):
            _write(output, written)
        return 0

    return action


def _check(output: Path | None, *, update: bool, force: bool) -> None:
    """Refuse what cannot be meant, before a checkpoint is read.

    Raises:
        UsageError: The options do not fit together, or the path is no file's.
    """
    if update and force:
        raise UsageError("both --update and --force are given", hint="Pass one of the two.", code="output-options")
    if output is None and (update or force):
        hint = "Name it: --output bertshape.toml"
        raise UsageError("there is no file to update or replace", hint=hint, code="output-options")
    if output is not None and os.path.isdir(output):
        hint = "Pass the path of a file, such as bertshape.toml."
        raise UsageError(f"--output {output} is not the path of a file", hint=hint, code="output-path")
    if output is not None and not force and is_of_checkpoint(output):
        hint = "Write to another file, or pass --force to replace it."
        raise UsageError(f"{output} would be a file of the checkpoint beside it", hint=hint, code="output-exists")
    if not force:
        format_of("table", output, ("toml",))
    if output is not None and output.name == PROJECT_NAME and force:
        hint = "Pass --update to write [tool.bertshape] alone."
        raise UsageError(f"{output} holds more than a contract", hint=hint, code="output-exists")


def _holds(output: Path, written: str) -> bool:
    """Whether a file holds just that already.

    Raises:
        UsageError: It holds something else.
    """
    if not is_replaced(output):
        return False
    try:
        if read_text(output) == written:
            return True
        read_contract(output)
    except BertshapeError as error:
        problem, hint = "is no contract", "Write to another file, or pass --force to replace it."
        if output.name == PROJECT_NAME:
            hint = "Pass --update to add [tool.bertshape] to it."
        raise UsageError(f"{output} exists and {problem}", hint=hint, code="output-exists") from error
    hint = "Pass --update to keep your edits, or --force to replace it."
    raise UsageError(f"{output} exists and says something else", hint=hint, code="output-exists")


def _write(path: Path, text: str) -> None:
    with written_whole(path) as file:
        file.write(text.encode())
