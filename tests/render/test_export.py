"""SVG and HTML of a report: Rich's export of what a terminal shows, foreign text escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

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


class Words(HTMLParser):
    """The words of a page, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags = "", set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class calls it so
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def svg_words(document: str) -> str:
    root = ElementTree.fromstring(document)
    return "\n".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")).replace(
        "\xa0", " "
    )


def test_both_show_what_the_terminal_shows(bertshape: Callable[..., Run]) -> None:
    plain = bertshape(*COMMAND, columns=100).stdout
    page = Words(bertshape(*COMMAND, "--format", "html", columns=100).stdout)
    picture = svg_words(bertshape(*COMMAND, "--format", "svg", columns=100).stdout)
    for line in filter(None, map(str.strip, plain.splitlines())):
        assert line in page.words, line
        assert line.replace(" ", "") in picture.replace(" ", "").replace("\n", ""), line


def test_foreign_text_is_no_markup(bertshape: Callable[..., Run], minilm: Path, tmp_path: Path) -> None:
    folder = edited_copy(minilm, tmp_path / "<b>m&</b>", id2label={"0": "<script>", "1": "&amp;"})
    command = (*COMMAND, "--model", str(folder))
    html = bertshape(*command, "--format", "html").stdout
    assert "script" not in Words(html).tags
    assert "b" not in Words(html).tags
    svg = bertshape(*command, "--format", "svg").stdout
    tags = {node.tag.rpartition("}")[2] for node in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "style", "defs", "clipPath", "rect", "text", "g", "circle", "path"}
    assert "\x1b" not in html + svg


@pytest.mark.parametrize("kind", ["svg", "html"])
def test_documents_have_colours_in_a_pipe_too(kind: str, bertshape: Callable[..., Run]) -> None:
    """NO_COLOR and pipes are about the terminal; the document has its own."""
    done = bertshape("inspect", "a", "--weights", "none", "--format", kind, columns=None)
    assert done.returncode == 0
    assert "predicted" in done.stdout
    assert "#" in done.stdout
