"""Results in notebooks: Jupyter and marimo ask them for HTML."""

from __future__ import annotations

from bertshape.report.shown import Shown


def show_results() -> None:
    """Let results be shown as pages; called where the Python API is imported."""
    Shown.as_html = staticmethod(_draw)


def _draw(result: object) -> str:
    # Jinja2 takes 0.1 s to import: a program that shows nothing does without.
    from bertshape.render.page.pages import fragment

    return fragment(result)
