"""The pictures of the documentation, made from what is printed: `python -m tests.tools.pictures` writes them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.command_line import call
from tests.tools.pages import make_place

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    lines = _FONT.sub("", done.stdout).splitlines()
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


if __name__ == "__main__":
    main()
