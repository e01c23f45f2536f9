"""Digests of tokenizers; apart, for OpenSSL takes 4 ms to import, which a check without a contract does without."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model


def tokenizer_hash(model: Model) -> str:
    """Digest of the tokenizer's file."""
    return _digest((model.checkpoint.tokenizer_folder / model.tokenizer.file).read_bytes())


def whole_tokenizer_hash(model: Model) -> str:
    """Digest of the whole tokenizer: of its file where that says all, else of what was built from several."""
    if model.tokenizer.file == "tokenizer.json":
        return tokenizer_hash(model)
    return _digest(model.tokenizer.backend.to_str().encode())


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
