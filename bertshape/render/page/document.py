"""The documents: a page that stands alone, or a fragment for notebooks; everything is inline, nothing is fetched.

What comes out of a variable of a template is made visible and escaped there, so that no part can forget to.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bertshape.render.escape import human_bytes, visible
from bertshape.render.phrases import sorted_findings
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parent / "templates"


def document(kind: str, title: str, context: Mapping[str, Any]) -> str:
    """A page that stands alone.

    Args:
        kind: Command whose part of the template it shows, such as `inspect`.
        title: Title of the window.
        context: What that part takes.
    """
    return _render(kind, title, context, whole=True)


def fragment(kind: str, context: Mapping[str, Any]) -> str:
    """The same as a piece of another page: a notebook. Its styles apply to nothing outside it."""
    return _render(kind, "", context, whole=False)


def _render(kind: str, title: str, context: Mapping[str, Any], *, whole: bool) -> str:
    style, script = _source("page.css"), _source("page.js")
    parts = {
        "kind": kind,
        "whole": whole,
        "title": title,
        "version": __version__,
        "style": Markup(style),
        "script": Markup(script),
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "explain": False,
        # Ids of two fragments in one notebook must differ, and the same report gives the same page.
        "uid": "b" + hashlib.sha256(repr(context).encode(errors="replace")).hexdigest()[:8],
    }
    return _environment().get_template("page.html").render({**parts, **context})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = human_bytes
    environment.filters["gravest"] = lambda findings: sorted_findings(findings)[::-1]
    return environment


def _shown(value: object) -> object:
    """Text from anywhere with its control characters visible; what is markup already stays as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """The hash by which a Content-Security-Policy admits an inline style or script, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
