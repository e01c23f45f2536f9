"""`bertshape snapshot`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_model
from bertshape.contract.write import write_contract
from bertshape.errors import UsageError
from bertshape.files import written_whole
from bertshape.pipelines.snapshot import snapshot


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
    revision: options.Revision = None,
    offline: options.Offline = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Write the contract of a checkpoint, for `check` to compare it with."""

    def action() -> int:
        contract = snapshot(checkpoint, revision=revision, offline=offline, texts=text or ())
        if output is None:
            sys.stdout.write(write_contract([contract]))
            return 0
        if os.path.isdir(checkpoint) and not os.path.isabs(checkpoint):
            # A contract is read from its own folder: it must find the checkpoint from there.
            contract = replace(
                contract, model=f"./{os.path.relpath(os.path.realpath(checkpoint), os.path.realpath(output.parent))}"
            )
        write_whole(output, write_contract([contract]))
        return 0

    return action


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        UsageError: The path is no file's.
        OutputError: It cannot be written.
    """
    if path.is_dir():
        hint = "Pass the path of a file, such as bertshape.toml."
        raise UsageError(f"--output {path} is not the path of a file", hint=hint, code="output-path")
    with written_whole(path) as file:
        file.write(text.encode())
