"""`bertshape poolings`."""

from __future__ import annotations

from collections.abc import Callable

from bertshape.cli import options
from bertshape.cli.console import print_result, printed_to
from bertshape.cli.pages import is_json
from bertshape.pooling.notation import GRAMMAR
from bertshape.pooling.strategies import STRATEGIES
from bertshape.render.json import poolings_document
from bertshape.render.poolings import render_poolings
from bertshape.render.tables import signs_of


def poolings_command(
    as_json: options.JsonFlag = False,
    output_format: options.TableFormat = "table",
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """List every pooling strategy: formula, axes, source."""

    def action() -> int:
        wanted = is_json(output_format, output, as_json=as_json)
        print_result(
            lambda console: render_poolings(tuple(STRATEGIES.values()), console.width, signs_of(console)),
            (lambda: poolings_document(STRATEGIES.values(), GRAMMAR)) if wanted else None,
        )
        return 0

    return printed_to(output, action)
