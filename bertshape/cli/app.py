"""The Typer application: each command reads its options and returns the work to be done."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated

import typer

from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = {
    "inspect": "Show the tokens, outputs and pooled vectors of one or more texts.",
    "check": "Check checkpoints for soundness, and for what you expect of them.",
    "snapshot": "Write the contract of a checkpoint, for `check` to compare it with.",
    "diff": "Show what differs between two checkpoints: dimensions, tokenizer, pooling, tensors.",
    "embed": "Write one vector for every text of a file, by any number of pooling strategies at once.",
    "profile": "Show what shapes a corpus will produce: lengths, truncation, padding, bytes.",
    "families": "List the model families whose shapes are predicted from a table, with what differs.",
    "poolings": "List every pooling strategy: formula, axes, source.",
    "doctor": "Show versions, devices, cache, Hub and terminal, and what each means for bertshape.",
    "schema": "Print the JSON Schema of what --json prints.",
}
"""Names of the commands in the order of the help, each with its first line; `NAME_command` of the module of that name
is the function."""


def build_app(arguments: Sequence[str]) -> typer.Typer:
    """The application, with the module of the command that the arguments begin with.

    Of other commands only the first line of the help is known: importing all of them, with the pipelines behind them,
    would take longer than a prediction does.

    Args:
        arguments: The command line without the program's name.
    """
    app = typer.Typer(
        name="bertshape",
        help="What comes out of a BERT checkpoint, in which shape, and why.",
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    called = arguments[0] if arguments and arguments[0] in COMMANDS else None
    for name, summary in COMMANDS.items() if called is None else ((called, COMMANDS[called]),):
        app.command(name, help=summary)(command_function(name) if name == called else _not_called)
    return app


def command_function(name: str) -> Callable[..., Callable[[], int]]:
    """The function of a command: it reads the options and returns the work to be done."""
    module = importlib.import_module(f"bertshape.cli.{name}")
    function: Callable[..., Callable[[], int]] = getattr(module, f"{name}_command")
    return function


def _not_called() -> None:
    """Stands for a command in the list of commands."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bertshape {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What comes out of a BERT checkpoint, in which shape, and why."""
