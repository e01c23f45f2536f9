"""`bertshape poolings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from bertshape.cli import options
from bertshape.cli.console import open_console, print_plain, printed_to
from bertshape.cli.json_output import print_json
from bertshape.pooling.notation import GRAMMAR
from bertshape.pooling.strategies import STRATEGIES
from bertshape.render.json import poolings_document

_GRAMMAR_LINES = """
mean@-2         on one of hidden_states: 0 embeddings, 1 first layer, -1 last
mean@-4:concat  on FIRST:LAST of them, joined by concat, sum or mean
cls+mean@0+max  several strategies, one after the other"""


def poolings_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """List every pooling strategy: formula, axes, source."""

    def action() -> int:
        if as_json:
            print_json(poolings_document(STRATEGIES.values(), GRAMMAR))
            return 0
        from bertshape.render.inspect import render_poolings

        console = open_console()
        print_plain(console, render_poolings(STRATEGIES.values(), console.width))
        print_plain(console, _GRAMMAR_LINES)
        return 0

    return printed_to(output, action)
