"""Long texts in pieces whose tokens are those of the whole: a token costs some hundred bytes while it is made."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 1_000_000
"""A longer text is refused where it must be tokenized in one go: one of 16 million takes 1.6 to 3.6 GB."""
PIECE_CHARACTERS = 100_000
"""A text that is not longer is one piece."""
_CHARACTERS_PER_TOKEN = 32
# The blank goes with what follows it: some vocabularies mark the beginnings of words by it.
_CUT = re.compile(r"(?<=[A-Za-z]) (?=[A-Za-z])")
# These look at one character, or at letters with the marks on them.
_LOCAL_NORMALIZERS = frozenset(
    {"BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents", "Precompiled", "Nmt"}
)


def check_size(text: str, where: str, what: str = "characters") -> None:
    """Refuse a text that would take gigabytes to tokenize.

    Args:
        text: The text.
        where: What messages call it.
        what: What it has too many of.

    Raises:
        UsageError: It is longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"{where} has {len(text):,} {what}; expected at most {MAX_CHARACTERS:,}"
        raise UsageError(message, hint="Split it into texts.", code="text-too-large")


def reads_words_alone(backend: object) -> bool:
    """Whether a blank between two letters parts a text into two whose tokens are those of the whole.

    So it is where no step of the tokenizer looks across such a blank: the normalizer changes characters by themselves,
    words are told apart before the model sees them, and no added token has a blank in it.
    """
    if not isinstance(backend, Tokenizer):
        return False
    normalizers, splitters = _steps(backend.normalizer), _steps(backend.pre_tokenizer)
    added = backend.get_added_tokens_decoder().values()
    return (
        all(step["type"] in _LOCAL_NORMALIZERS for step in normalizers)
        and bool(splitters)
        and _splits_at_blanks(splitters[0])
        and not any(" " in token.content for token in added)
    )


def _splits_at_blanks(step: dict[str, Any]) -> bool:
    kind = step["type"]
    plain = kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")
    marked = (kind == "ByteLevel" and step["use_regex"]) or (kind == "Metaspace" and step["split"])
    return plain or marked


def _steps(component: Any) -> list[dict[str, Any]]:
    """A normalizer or pre-tokenizer as the steps that its JSON names; nested sequences are flattened."""
    if component is None:
        return []
    waiting, steps = [json.loads(component.__getstate__())], []
    while waiting:
        step = waiting.pop(0)
        inner = step.get("normalizers", step.get("pretokenizers"))
        if step["type"] == "Sequence":
            waiting = [*inner, *waiting]
        else:
            steps.append(step)
    return steps


def pieces(text: str, size: int = PIECE_CHARACTERS) -> Iterator[str]:
    """A text in pieces of some characters, cut at blanks between letters; longer where it has none."""
    start = 0
    while found := _CUT.search(text, start + size):
        yield text[start : found.start()]
        start = found.start()
    yield text[start:]


def beginning(text: str, tokens: int) -> str:
    """As much of a text as most likely gives more tokens than a number, cut at a blank between letters."""
    found = _CUT.search(text, tokens * _CHARACTERS_PER_TOKEN)
    return text if found is None else text[: found.start()]
