"""What each format may hold: rules for output that quotes names and texts from anywhere."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Callable

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_TAGS = {
    "html": {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "header",
            "footer",
            "section",
            "script",
            "template",
        ),
        *("h1", "h2", "h3", "p", "q", "b", "i", "s", "em", "small", "span", "code", "pre", "div", "button", "details"),
        *("summary", "ol", "ul", "li", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "rect", "text"),
    },
    "svg": {"svg", "style", "defs", "clippath", "rect", "text", "g", "circle"},
}


class Tags(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_comment(self, data: str) -> None:
        assert not data.strip().startswith("\\"), "a comment was opened"


def hold_text(text: str) -> None:
    """No character that cannot be seen, but for line ends."""
    hidden = [ascii(one) for one in text if one != "\n" and unicodedata.category(one) in _HIDDEN]
    assert not hidden, (hidden, text[:3000])


def hold_markdown(text: str) -> None:
    hold_text(text)
    bare = re.sub(r"\\.", "", re.sub(r"&[a-z#0-9]+;", "", text))
    for sign in ("<img", "<!--", "[e](", "![g]"):
        assert sign not in bare, text
    # Every row of a table has as many cells as its head.
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) if line.startswith("|") else 0
        assert cells in (0, width) or width == 0, line
        width = cells


def hold_github(text: str) -> None:
    """One command a line, and it is ours."""
    hold_text(text)
    for line in text.splitlines():
        command = re.fullmatch(r"::(error|warning|notice) (file=[^,:]*,line=\d+,)?title=([^,:]*)::(.*)", line)
        assert command, line
        assert "%0A" not in line
        assert "%0a" not in line


def hold_page(text: str, kind: str) -> None:
    hold_text(text.replace("\N{NO-BREAK SPACE}", " "))
    assert Tags(text).names <= _TAGS[kind], Tags(text).names - _TAGS[kind]
    assert kind != "html" or (text.count("<script") == 1 and "<img" not in text)
    if kind == "svg":
        ElementTree.fromstring(text)


def hold_junit(text: str) -> None:
    hold_text(text)
    names = {element.tag for element in ElementTree.fromstring(text).iter()}
    assert names <= {
        "testsuites",
        "testsuite",
        "properties",
        "testcase",
        "failure",
        "error",
        "system-out",
        "system-err",
    }


def hold_json(text: str) -> None:
    assert text.isascii()
    for line in [text] if text.startswith(("{\n", "[\n")) else text.splitlines():
        json.loads(line)


INSPECT: dict[str, Callable[[str], None]] = {
    "table": hold_text,
    "json": hold_json,
    "jsonl": hold_json,
    "markdown": hold_markdown,
    "svg": lambda text: hold_page(text, "svg"),
    "html": lambda text: hold_page(text, "html"),
}
CHECK: dict[str, Callable[[str], None]] = {
    "html": lambda text: hold_page(text, "html"),
    "table": hold_text,
    "json": hold_json,
    "junit": hold_junit,
    "gitlab": hold_json,
    "sarif": hold_json,
    "github": hold_github,
}
