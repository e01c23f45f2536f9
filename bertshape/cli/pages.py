"""Reports as pages: `--format html`, a file whose ending says so, and `--open`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bertshape.cli.console import printed_to
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_ENDINGS = {
    ".csv": "csv",
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".ndjson": "jsonl",
    ".jsonl": "jsonl",
    ".markdown": "markdown",
    ".md": "markdown",
    ".sarif": "sarif",
    ".svg": "svg",
    ".toml": "toml",
    ".xml": "junit",
}
"""What an ending names; of two the last is shown."""
_FOREIGN = (
    ".arrow", ".docx", ".gz", ".ipynb", ".jpeg", ".jpg", ".npy", ".npz", ".parquet", ".pdf", ".png", ".pptx", ".rst",
    ".safetensors", ".tex", ".tsv", ".xls", ".xlsx", ".yaml", ".yml", ".zip",
)  # fmt: skip
"""Endings of what no command prints."""


def format_of(asked: str, output: Path | None, formats: Sequence[str], *, opened: bool = False) -> str:
    """The format of a report: what was asked for, or what the ending of the file says.

    Args:
        asked: What `--format` says; `table` where nothing was said.
        output: File that the report goes to.
        formats: What the command knows.
        opened: Whether the report is to be opened in a browser, which shows pages.

    Raises:
        UsageError: The ending names a format that the command lacks, or what is to be opened is no page.
    """
    chosen = asked
    if asked == "table" and output is not None:
        chosen = _by_ending(output, formats, asked)
    if not opened:
        return chosen
    if chosen not in ("table", "html"):
        hint = "Leave out --open, or the format and the ending of the file."
        raise UsageError(f"--open shows a page, and {chosen} was asked for", hint=hint, code="open-format")
    return "html"


def _by_ending(output: Path, formats: Sequence[str], plain: str) -> str:
    ending = output.suffix.lower()
    chosen = _ENDINGS.get(ending, plain)
    if chosen in (plain, *formats) and ending not in _FOREIGN:
        return chosen
    known = {name: other for other, name in _ENDINGS.items() if name in formats}
    names = [str(output.with_suffix(other)) for other in (*known.values(), ".txt")]
    hint = f"Pass -o {', '.join(names[:-1])} or {names[-1]}."
    raise UsageError(f"{output}: there is no {ending[1:]} of this report", hint=hint, code="output-format")


def is_json(asked: str, output: Path | None, *, as_json: bool) -> bool:
    """Whether a report that is a table or JSON is to be JSON; arguments as for `format_of`."""
    return format_of("json" if as_json else asked, output, ("table", "json")) == "json"


def shown_in(output: Path | None, action: Callable[[], int], *, opened: bool) -> Callable[[], int]:
    """The same work, what it prints going to a file where one is named, and that opened where it is to be.

    Args:
        output: The file; None for stdout, or for a temporary file that is opened.
        action: The work, which returns an exit code.
        opened: Whether to open it in the browser.
    """
    if not opened:
        return printed_to(output, action)

    # tempfile and webbrowser take 5 ms to import.
    from bertshape.cli.browser import opened_in_browser

    return opened_in_browser(output, action)


def page_of(result: object, *, explain: bool = False) -> str:
    """A result as a page that stands alone.

    Args:
        result: What the command gives.
        explain: Whether the notes for newcomers are unfolded.
    """
    # Jinja2 takes 0.1 s to import, which the other formats do without.
    from bertshape.render.page.pages import page

    text = page(result, explain=explain)
    # The page says that it is UTF-8. Elsewhere what is not ASCII is written as references, which every encoding has.
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    return text if utf8 else text.encode("ascii", "xmlcharrefreplace").decode("ascii")
