"""Pictures and the JSON reference are those of today: tools make them, and their texts are compared."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

import pytest

from bertshape import inspect_texts
from tests.tools.json_reference import PAGE, write_reference
from tests.tools.page_pictures import SCHEMES, SHOTS, digest, written_digest
from tests.tools.pages import PAGES, make_place
from tests.tools.pictures import FOLDER, README, TERMINAL, draw_readme, draw_terminal, picture_texts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", TERMINAL)
def test_pictures_show_what_the_commands_show(name: str, tmp_path: Path) -> None:
    """`python -m tests.tools.pictures` fixes this. Only texts are compared."""
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert picture_texts(kept) == picture_texts(draw_terminal(TERMINAL[name], make_place(tmp_path)))
    assert len(picture_texts(kept)) > 20


@pytest.mark.parametrize("name", README)
def test_the_first_picture_is_of_trained_weights(name: str) -> None:
    kept = picture_texts((FOLDER / name).read_text(encoding="utf-8"))
    assert kept == picture_texts(draw_readme(README[name]))
    assert any("observed" in text for text in kept)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", SHOTS)
def test_pictures_of_pages_show_what_the_pages_say(name: str, scheme: str) -> None:
    """`python -m tests.tools.page_pictures` fixes this, where there is a browser. Only words are compared."""
    kept = (FOLDER / f"{name}-{scheme}.png").read_bytes()
    assert kept.startswith(b"\x89PNG")
    assert written_digest(kept) == digest(SHOTS[name])


def test_pictures_stand_below_their_commands() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    found = re.findall(r"```sh\nbertshape inspect (.+)\n```\n\n!\[[^\]]+\]\(pictures/([\w.]+)\)", pages)
    assert {name: tuple(shlex.split(command)) for command, name in found} == TERMINAL


def test_json_reference_is_made_from_the_schema() -> None:
    """`python -m tests.tools.json_reference` fixes this."""
    assert PAGE.read_text(encoding="utf-8") == write_reference()


def test_json_reference_names_every_field_of_a_document() -> None:
    """What a report holds is in the page, by the path that the page would give it."""
    made = inspect_texts("A text.", model="embedded:bert-tiny-uncased", weights="none", words=True, pooling=["mean"])
    report = made.to_dict()
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("### `Checkpoint`")[2].partition("\n### ")[0]
    assert all(f"| `{name}` |" in section for name in report["checkpoint"])
    parts = (report, report["checkpoint"]["dimensions"], report["sequences"][0], report["pooled"]["mean"])
    assert all(f"| `{name}` |" in page for part in parts for name in part)


def test_pictures_are_used_and_self_contained() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in FOLDER.iterdir():
        assert f"pictures/{picture.name}" in pages
        if picture.suffix == ".png":
            continue
        text = picture.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "url(http" not in text
        assert "@font-face" not in text
