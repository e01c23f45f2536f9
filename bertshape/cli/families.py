"""`bertshape families`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.console import print_result, printed_to
from bertshape.predict.family import family_names, load_family
from bertshape.render.families import render_families
from bertshape.render.json import families_document
from bertshape.render.tables import signs_of


def families_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """List the model families whose shapes are predicted from a table, with what differs."""

    def action() -> int:
        families = [family for name in family_names() if (family := load_family(name))]
        print_result(
            lambda console: render_families(families, console.width, signs_of(console)),
            (lambda: families_document(families)) if as_json else None,
        )
        return 0

    return printed_to(output, action)
