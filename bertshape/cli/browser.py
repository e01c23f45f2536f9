"""Pages in the browser: `--open`."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.cli.console import printed_to
from bertshape.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable


def opened_in_browser(output: Path | None, action: Callable[[], int]) -> Callable[[], int]:
    """The same work, what it prints going to a file that is opened.

    Args:
        output: The file; None for a temporary one.
        action: The work, which returns an exit code.
    """

    def opening() -> int:
        path = output or Path(tempfile.mkdtemp(prefix="bertshape-")) / "page.html"
        code = printed_to(path, action)()
        there = webbrowser.open(path.resolve().as_uri())
        sys.stderr.write(f"bertshape: {'' if there else 'no browser was found; '}the page is {visible(str(path))}\n")
        return code

    return opening
