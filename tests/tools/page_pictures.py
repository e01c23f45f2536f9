"""Pictures of pages for the documentation: `python -m tests.tools.page_pictures` writes them; it takes a browser."""

from __future__ import annotations

import hashlib
import re
import struct
import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from bertshape import inspect_texts
from bertshape.render.page.pages import page
from tests.support.browser import Watched, chromium
from tests.support.checkpoints import minilm_folder

FOLDER = Path(__file__).parent.parent.parent / "docs" / "pictures"
SCHEMES = ("light", "dark")
_KEY = b"Comment\0bertshape page "
"""In a text of the file stands which page it shows."""


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        texts: What the page is of.
        strategy: Row that is looked at; empty for none.
        width: Of the window.
        until: What the picture ends above.
    """

    texts: tuple[str, ...]
    strategy: str
    width: int
    until: str


SHOTS = {
    "page": Shot(("This is an example sentence.",), "", 1200, "tr[data-reads]:nth-child(9)"),
    "page-batch": Shot(
        ("Short.", "Unbelievably long words are cut into pieces."), "weightedmean", 1200, "tr[data-reads]:nth-child(12)"
    ),
}


def source(shot: Shot, *, run: bool) -> str:
    """The page that a picture shows.

    Args:
        shot: The picture.
        run: Whether the model runs, as it does for the picture.
    """
    report = inspect_texts(shot.texts, model=minilm_folder(), weights=None if run else "none")
    return page(replace(report, checkpoint=replace(report.checkpoint, model="all-MiniLM-L6-v2")))


def digest(shot: Shot) -> str:
    """What the words of its page are, as a number: colours and places may change without a new picture."""
    body = re.sub(
        r"<(style|script)>.*?</\1>|<details class=\"program\".*?</details>", "", source(shot, run=False), flags=re.S
    )
    words = " ".join(re.sub(r"<[^>]*>", " ", body).split())
    return hashlib.sha256(words.encode()).hexdigest()


def written_digest(picture: bytes) -> str:
    """The digest that a picture was written with; empty for none."""
    found = re.search(re.escape(_KEY) + rb"([0-9a-f]{64})", picture)
    return found[1].decode() if found else ""


def sign(picture: bytes, shot: Shot) -> bytes:
    """The same PNG with a text that says of which page it is, before its last chunk."""
    text = b"tEXt" + _KEY + digest(shot).encode()
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    end = picture.rindex(b"IEND") - 4
    return picture[:end] + chunk + picture[end:]


def main() -> None:
    """Write all pictures."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        window = Watched(browser, Path(folder))
        for name, shot in SHOTS.items():
            html = source(shot, run=True)
            for scheme in SCHEMES:
                with window.show(html, shot.width, color_scheme=scheme, reduced_motion="reduce") as shown:
                    if shot.strategy:
                        shown.locator(f'tr[aria-label^="{shot.strategy},"]').click()
                        shown.evaluate("scrollTo(0, 0)")
                    box = shown.locator(shot.until).bounding_box()
                    assert box is not None
                    clip = {"x": 0, "y": 0, "width": shot.width, "height": box["y"] + shown.evaluate("scrollY")}
                    picture = shown.screenshot(clip=clip, full_page=True)  # type: ignore[arg-type]
                (FOLDER / f"{name}-{scheme}.png").write_bytes(sign(picture, shot))


if __name__ == "__main__":
    main()
