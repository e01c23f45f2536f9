"""JSON on stdout: one line for programs, indented for people who look at it on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bertshape.render.json import render_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def print_json(document: Mapping[str, object], *, line: bool = False) -> None:
    """Print a document.

    Args:
        document: The document.
        line: Print it on one line, whoever reads it.
    """
    sys.stdout.write(render_json(document, indent=not line and sys.stdout.isatty()))
