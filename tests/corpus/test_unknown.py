"""`inspect` and `profile` count the same tokens as unknown, whatever the kind of vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bertshape import profile_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.tokens.batch import tokenize
from bertshape.tokens.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = ["an example 🙂", "🙂 𓀀 sentence", "sentence"]


@pytest.mark.parametrize("family", ["bert", "albert", "xlm-roberta"])
def test_unknown_tokens_are_counted_by_id(family: str, tiny: Callable[[str], Path]) -> None:
    """The encoding of a Unigram vocabulary (albert, xlm-roberta) holds the surface text, not `<unk>`."""
    folder = str(tiny(family))
    tokenizer = load_tokenizer(open_checkpoint(folder))
    rows = [tokenize(tokenizer, [text]).rows[0] for text in TEXTS]
    assert [row.unknown for row in rows] == [1, 2, 0]
    counts = profile_texts(TEXTS, model=folder).counts
    assert (counts.unknown, counts.texts_with_unknown) == (3, 2)
    assert tokenizer.unk_id is not None
    assert tokenizer.backend.id_to_token(tokenizer.unk_id) == tokenizer.unk_token
