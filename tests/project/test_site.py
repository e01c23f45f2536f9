"""The documentation as a site: it builds strictly and fetches nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

import bertshape
from tests.support.command_line import SECONDS
from tests.tools.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
DOCS = ROOT / "docs"
# Attributes by which a browser fetches without being asked; links that a reader follows are not among them.
_FETCHING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", ".mkdocs.yml", "-d", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout
    return folder


class _Fetches(HTMLParser):
    """Addresses on other hosts that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in ("canonical", "prev", "next"):
            return
        self.found += [
            value for name, value in attrs if (tag, name) in _FETCHING and value and re.match(r"(https?:)?//", value)
        ]


def fetches(html: str) -> list[str]:
    parser = _Fetches()
    parser.feed(html)
    return parser.found


def test_site_builds_strictly_and_holds_every_page(site: Path) -> None:
    """Dead links, missing anchors and pages outside the navigation are warnings, and strict makes them errors."""
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("")
        built = site / ("index.html" if name.name == "index" else f"{name}/index.html")
        assert built.is_file(), page


def test_a_dead_link_fails_the_build(tmp_path: Path) -> None:
    """The test above can fail: the same settings refuse a page whose link leads nowhere."""
    settings = (ROOT / ".mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    (tmp_path / "docs" / "index.md").write_text("# A page\n\n[Gone](gone.md) and [here](#nowhere)\n", encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, timeout=SECONDS)
    assert done.returncode != 0
    assert "gone.md" in done.stderr
    assert "#nowhere" in done.stderr


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    assert fetches('<script src="https://cdn.example/x.js"></script>') == ["https://cdn.example/x.js"]
    for page in site.rglob("*.html"):
        assert fetches(page.read_text(encoding="utf-8")) == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


def test_python_page_shows_docstrings_and_signatures(site: Path) -> None:
    """Every name of the package's interface is there, with what its docstring says."""
    html = (site / "python" / "index.html").read_text(encoding="utf-8")
    for name in set(bertshape.__all__) - {"__version__"}:
        assert re.search(rf'id="bertshape[\w.]*\.{name}"', html), name
    assert "Check a checkpoint for soundness" in html
    assert "truncate_dim" in html
