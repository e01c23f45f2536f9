"""A headless Chromium of the system, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; skips the test, with the reason, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)}")
    # A sandbox of its own needs rights that containers lack; the pages are ours, and fetch nothing.
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """Pages in a browser, each of which may ask for nothing and may complain of nothing.

    Args:
        browser: The browser.
        folder: Where the pages are written.
    """

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder

    @contextmanager
    def show(self, source: str, width: int = 1280, **options: Any) -> Iterator[Page]:
        """Open a page; what it asks for and what it complains of fails the test.

        Args:
            source: The document.
            width: Of the window.
            options: Of the context, such as `color_scheme`.
        """
        file = self._folder / "page.html"
        file.write_text(source, encoding="utf-8")
        asked: list[str] = []
        said: list[str] = []
        options = {"viewport": {"width": width, "height": 900}, **options}
        context = self._browser.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        try:
            page.goto(file.as_uri())
            yield page
            # A policy that is broken is said on the console.
            assert [address for address in asked if address != "about:srcdoc"] == [file.as_uri()]
            assert said == []
        finally:
            context.close()


def keep(page: Page, name: str) -> None:
    """Keep a picture for people to look at, where BERTSHAPE_SCREENSHOTS names a folder.

    Args:
        page: What it shows.
        name: Its name, without the ending.
    """
    folder = os.environ.get("BERTSHAPE_SCREENSHOTS")
    if folder:
        page.screenshot(path=os.path.join(folder, f"{name}.png"), full_page=True)
