"""The Typer application: each command reads its options and returns the work to be done."""

from __future__ import annotations

from typing import Annotated

import typer

import bertshape
from bertshape.cli.check import check_command
from bertshape.cli.diff import diff_command
from bertshape.cli.doctor import doctor_command
from bertshape.cli.embed import embed_command
from bertshape.cli.families import families_command
from bertshape.cli.inspect import inspect_command
from bertshape.cli.poolings import poolings_command
from bertshape.cli.profile import profile_command
from bertshape.cli.snapshot import snapshot_command

app = typer.Typer(
    name="bertshape",
    help="What comes out of a BERT checkpoint, in which shape, and why.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bertshape {bertshape.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What comes out of a BERT checkpoint, in which shape, and why."""


app.command("inspect")(inspect_command)
app.command("check")(check_command)
app.command("snapshot")(snapshot_command)
app.command("diff")(diff_command)
app.command("embed")(embed_command)
app.command("profile")(profile_command)
app.command("families")(families_command)
app.command("poolings")(poolings_command)
app.command("doctor")(doctor_command)
