"""What must never be shown: tokens, and the credentials in addresses."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_SHORTEST = 8
"""No token is shorter; a variable that holds `1` must not black out every 1."""
_SECRET_WORDS = frozenset({"KEY", "PASSWORD", "SECRET", "TOKEN"})


def tokens(token_file: Path | None) -> dict[str, str]:
    """Every Hub token within reach, by where it stands, the one that is used first.

    Not by huggingface_hub's get_token: that may renew a token on the network.
    """
    found = {name: os.environ.get(name, "") for name in _VARIABLES}
    with contextlib.suppress(OSError, ValueError):  # not there, not ours, not text
        found["the token file"] = token_file.read_text(encoding="utf-8") if token_file else ""
    return {place: token.strip() for place, token in found.items() if token.strip()}


def is_sendable(token: str) -> bool:
    """Whether a token can stand in a header."""
    return token.isascii() and token.isprintable()


def is_secret(name: str) -> bool:
    """Whether the value of a variable must not be shown; TOKENIZERS_PARALLELISM is no token."""
    return not _SECRET_WORDS.isdisjoint(name.upper().split("_"))


def conceal(text: str) -> str:
    """Take tokens and the credentials in addresses out of a text."""
    for token in tokens(_token_file()).values():
        # A line of a token of several lines may stand alone.
        for part in token.split():
            if len(part) >= _SHORTEST:
                text = text.replace(part, "***")
    return re.sub(r"(?<=://)[^/@\s]*@", "***@", text)


def _token_file() -> Path | None:
    try:
        from bertshape.checkpoint.hub import hub_settings

        return hub_settings().token_file
    except Exception:  # huggingface_hub is broken or absent, which its own line says
        return None
