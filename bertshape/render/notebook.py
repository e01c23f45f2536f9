"""Results in notebooks and consoles: Jupyter and marimo ask them for HTML, Rich for a screen."""

from __future__ import annotations

from typing import Any

from bertshape.report.shown import Shown


def show_results() -> None:
    """Let results be shown as pages and screens; called where the Python API is imported."""
    Shown.as_html = staticmethod(_page)
    Shown.as_rich = staticmethod(_screen)


def _page(result: object) -> str:
    page: str = _rendering().fragment(result)
    return page


def _screen(result: object) -> object:
    screen: object = _rendering().Screen(result)
    return screen


def _rendering() -> Any:
    # Jinja2 and Rich take 0.14 s to import: a program that shows nothing does without.
    from bertshape.render import shown

    return shown
