"""The pictures of the documentation, made from what is printed: `python -m tests.tools.pictures` writes them."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME

from bertshape import inspect_texts
from bertshape.render.export import draw
from bertshape.render.layout import Page
from tests.support.checkpoints import minilm_folder
from tests.support.command_line import call
from tests.tools.pages import make_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.terminal_theme import TerminalTheme

FOLDER = Path(__file__).parent.parent.parent / "docs" / "pictures"
_MINILM = ("--model", "./all-MiniLM-L6-v2")
TERMINAL: Mapping[str, tuple[str, ...]] = {
    "tokens.svg": ("This is an example sentence.", "-p", "mean", "-p", "tokens"),
    "words.svg": ("unbelievably long", "--weights", "none", "-p", "words", "--words"),
    "vectors.svg": (
        "An example.",
        *_MINILM,
        "-p",
        "cls",
        "-p",
        "pooler",
        "-p",
        "mean",
        "--explain",
    ),
    "padding.svg": (
        "Short.",
        "A text that is a little longer.",
        *_MINILM,
        "-p",
        "mean",
        "-p",
        "mean_unmasked",
    ),
    "layers.svg": (
        "a b",
        "--model",
        "embedded:bert-tiny-uncased",
        "--weights",
        "none",
        "-p",
        "mean",
        "--layers",
    ),
}
README = {"inspect-dark.svg": SVG_EXPORT_THEME, "inspect-light.svg": DEFAULT_TERMINAL_THEME}
"""The pictures at the top of the README, by their colours: a trained checkpoint in 120 columns."""
# Rich names a font that browsers would fetch from elsewhere; `monospace`, named after it, does.
_FONT = re.compile(r"\s*@font-face \{.*?\}", flags=re.DOTALL)


def draw_terminal(arguments: tuple[str, ...], place: Path) -> str:
    """What `bertshape inspect` with these arguments shows, as a picture that fetches nothing.

    Args:
        arguments: Arguments of `inspect`.
        place: Folder with the checkpoints that they name.

    Returns:
        An SVG document.
    """
    done = call("inspect", *arguments, "--format", "svg", cwd=place, NO_COLOR="")
    assert done.returncode == 0, done.stderr
    return _without_fonts(done.stdout)


def draw_readme(theme: TerminalTheme) -> str:
    """The first picture of the README.

    Args:
        theme: Its colours.

    Returns:
        An SVG document.
    """
    report = inspect_texts("This is an example sentence.", model=minilm_folder())
    report = replace(report, checkpoint=replace(report.checkpoint, model="all-MiniLM-L6-v2"))
    console = draw(report, Page(120))
    return _without_fonts(console.export_svg(title='bertshape inspect "This is an example sentence."', theme=theme))


def _without_fonts(svg: str) -> str:
    lines = _FONT.sub("", svg).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def picture_texts(svg: str) -> list[str]:
    """The texts of a picture in their order: the same for every release of Rich, as colours and places are not."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = make_place(Path(folder))
        for name, arguments in TERMINAL.items():
            (FOLDER / name).write_text(draw_terminal(arguments, place), encoding="utf-8")
    for name, theme in README.items():
        (FOLDER / name).write_text(draw_readme(theme), encoding="utf-8")


if __name__ == "__main__":
    main()
