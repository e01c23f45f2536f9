"""Lower case before everything else, as `do_lower_case` of sentence-transformers has it."""

from __future__ import annotations

from typing import Any

from tokenizers import normalizers


def lower_case(backend: Any) -> None:
    """Make a tokenizer lower the case of every text before it does anything else with it.

    Special tokens in a text are found before, and stay as they are: lowering the text itself would lose `[MASK]`.

    Args:
        backend: A tokenizer of `tokenizers`; it is changed.
    """
    own = backend.normalizer
    several = isinstance(own, normalizers.Sequence)
    parts = list(own) if several else [] if own is None else [own]
    if not any(isinstance(part, normalizers.Lowercase) for part in parts):
        backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *parts])
