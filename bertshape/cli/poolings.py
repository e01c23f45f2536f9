"""`bertshape poolings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer


def poolings_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> Callable[[], int]:
    """List every pooling strategy: formula, axes, source."""

    def action() -> int:
        from bertshape.pooling import STRATEGIES

        if as_json:
            import json
            import sys

            rows = {
                name: {
                    "axes": list(strategy.axes),
                    "formula": strategy.formula,
                    "over": strategy.over(),
                    "source": strategy.source,
                }
                for name, strategy in STRATEGIES.items()
            }
            sys.stdout.write(json.dumps({"schema_version": "1", "ok": True, "poolings": rows}, indent=2) + "\n")
            return 0
        from bertshape.cli.consoles import open_console, print_plain
        from bertshape.rendering.tables import render_poolings

        console = open_console()
        print_plain(console, render_poolings(STRATEGIES.values(), console.width))
        return 0

    return action
