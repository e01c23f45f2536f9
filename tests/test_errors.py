"""Errors: what every message keeps to."""

from __future__ import annotations

from bertshape.errors import BertshapeError


def test_messages_are_bounded() -> None:
    """A file may hold names of any length, and any number of them."""
    error = BertshapeError("m" * 2000 + "why", hint="h" * 10**7, code="x")
    assert (len(error.message), len(error.hint), len(str(error))) == (2000, 2000, 2000)
    assert error.message.startswith("m" * 1000)
    assert error.message.endswith("why")
    assert "m...m" in error.message
    assert BertshapeError("m" * 2000, code="x").message == "m" * 2000
