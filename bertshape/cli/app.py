"""The Typer application: each command reads its options and returns the work to be done."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated

import typer

import bertshape

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "inspect",
    "check",
    "snapshot",
    "diff",
    "embed",
    "profile",
    "families",
    "poolings",
    "doctor",
    "schema",
)
"""Names of the commands in the order of the help; `NAME_command` of the module of that name is the function."""


def build_app(arguments: Sequence[str]) -> typer.Typer:
    """The application, with the command that the arguments begin with, or with all of them.

    Options of a command that is not called would be read in vain: a fifth of the time of a prediction.

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
    called = arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS
    for name in called:
        module = importlib.import_module(f"bertshape.cli.{name}")
        app.command(name)(getattr(module, f"{name}_command"))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bertshape {bertshape.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What comes out of a BERT checkpoint, in which shape, and why."""
