"""What every JSON document begins with, and the document that takes the place of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bertshape.version import __version__

if TYPE_CHECKING:
    from bertshape.errors import BertshapeError
    from bertshape.report import documents, documents_common

SCHEMA_VERSION: Final = "1"
"""Grows when a field is removed or changes its meaning; new fields do not change it."""


def envelope(*, ok: bool) -> documents_common.Envelope:
    """What a document begins with.

    Args:
        ok: Whether the command exits with 0.
    """
    return {"schema_version": SCHEMA_VERSION, "ok": ok, "bertshape": __version__}


def error_details(error: BertshapeError) -> documents_common.ErrorDetails:
    """An error as documents hold it."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def error_document(error: BertshapeError) -> documents.ErrorDocument:
    """The document of a command that has no report, or of a text in a stream that has none."""
    return {**envelope(ok=False), **failure_entry(error)}


def failure_entry(error: BertshapeError) -> documents.SkippedText:
    """An error, and the text that it is about."""
    place: documents.TextSource = {}
    if error.text is not None:
        place = {"index": error.text.index, "line": error.text.line, "id": error.text.id}
    return {**place, "error": error_details(error)}
