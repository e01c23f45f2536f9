"""Many added tokens cost no more than each of them."""

from __future__ import annotations

from tokenizers import Tokenizer

from bertshape.tokens.build import _add_tokens
from tests.hostile.model import tokenizer_json


class Counted(str):
    """A token that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_tokens_are_not_compared_with_all_others() -> None:
    """200,000 of them took 44 seconds."""
    backend = Tokenizer.from_str(tokenizer_json())
    names = [Counted(f"extra{index}") for index in range(500)]
    Counted.comparisons = 0
    grown = _add_tokens(backend, {}, {}, [*names, *names, "a"])
    assert grown == tuple(names)
    assert Counted.comparisons < 10 * len(names)
