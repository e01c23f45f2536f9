"""SVG of a report: Rich's export of what a terminal shows, foreign text escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

COMMAND = (
    "inspect",
    "a </text><script>alert(1)</script> \x1b[31m [red]",
    "--weights",
    "none",
    "--task",
    "all",
    "--layers",
)


def svg_words(document: str) -> str:
    root = ElementTree.fromstring(document)
    return "\n".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")).replace(
        "\xa0", " "
    )


def test_it_shows_what_the_terminal_shows(bertshape: Callable[..., Run]) -> None:
    plain = bertshape(*COMMAND, columns=100).stdout
    picture = svg_words(bertshape(*COMMAND, "--format", "svg", columns=100).stdout)
    for line in filter(None, map(str.strip, plain.splitlines())):
        assert line.replace(" ", "") in picture.replace(" ", "").replace("\n", ""), line


def test_foreign_text_is_no_markup(bertshape: Callable[..., Run], minilm: Path, tmp_path: Path) -> None:
    folder = edited_copy(minilm, tmp_path / "<b>m&</b>", id2label={"0": "<script>", "1": "&amp;"})
    command = (*COMMAND, "--model", str(folder))
    svg = bertshape(*command, "--format", "svg").stdout
    tags = {node.tag.rpartition("}")[2] for node in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "style", "defs", "clipPath", "rect", "text", "g", "circle", "path"}
    assert "\x1b" not in svg


def test_a_picture_has_colours_in_a_pipe_too(bertshape: Callable[..., Run]) -> None:
    """NO_COLOR and pipes are about the terminal; the document has its own."""
    done = bertshape("inspect", "a", "--weights", "none", "--format", "svg", columns=None)
    assert done.returncode == 0
    assert "predicted" in done.stdout
    assert "#" in done.stdout
