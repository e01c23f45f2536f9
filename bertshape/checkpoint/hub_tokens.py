"""Tokens for the Hub, which must never be shown: where they are, and how they are taken out of a text."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.checkpoint.hub import HubSettings

_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_SHORTEST = 8
"""No token is shorter; a variable that holds `1` must not black out every 1."""


def hub_settings() -> HubSettings:
    """The Hub's settings, whose package takes long to import and may be broken."""
    from bertshape.checkpoint import hub

    return hub.hub_settings()


def hub_tokens() -> dict[str, str]:
    """Every Hub token within reach, by where it is, the one that is used first.

    Not by huggingface_hub's get_token: that may renew a token on the network.
    """
    found = {name: os.environ.get(name, "") for name in _VARIABLES}
    # Absent, not readable, not text; or huggingface_hub is broken, which is no reason to show what is in a variable.
    with contextlib.suppress(Exception):
        found["the token file"] = hub_settings().token_file.read_text(encoding="utf-8")
    return {place: token.strip() for place, token in found.items() if token.strip()}


def conceal(text: str) -> str:
    """Take tokens, and the credentials in addresses, out of a text."""
    for token in hub_tokens().values():
        # One line of a token of several lines may be alone.
        for part in token.split():
            if len(part) >= _SHORTEST:
                text = text.replace(part, "***")
    return re.sub(r"(?<=://)[^/@\s]*@", "***@", text)
