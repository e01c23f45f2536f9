"""`bertshape families`."""

from __future__ import annotations

from collections.abc import Callable

from bertshape.cli import options
from bertshape.cli.console import print_result, printed_to
from bertshape.cli.pages import is_json
from bertshape.predict.family import family_names, load_family
from bertshape.render.families import render_families
from bertshape.render.json import families_document
from bertshape.render.tables import signs_of


def families_command(
    as_json: options.JsonFlag = False,
    output_format: options.TableFormat = "table",
    output: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """List the model families whose shapes are predicted from a table, with what differs."""

    def action() -> int:
        wanted = is_json(output_format, output, as_json=as_json)
        families = [family for name in family_names() if (family := load_family(name))]
        print_result(
            lambda console: render_families(families, console.width, signs_of(console)),
            (lambda: families_document(families)) if wanted else None,
        )
        return 0

    return printed_to(output, action)
