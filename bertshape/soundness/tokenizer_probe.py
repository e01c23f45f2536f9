"""Whether a tokenizer gives what the model can take: a few texts of several kinds are encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

_PROBES = (
    ("A text: words, 1 number and Ünïcode.", None),
    ("a", "b"),
    ("", None),
    ("\U0010fffe 東京 🙂", None),
)
_HINT = "Copy the tokenizer files of the original checkpoint into the folder."


def probe_tokenizer(tokenizer: LoadedTokenizer, architecture: Architecture | None) -> list[Finding]:
    """A tokenizer that loads may still be unable to encode anything, or put ids around every text that none has.

    Args:
        tokenizer: The tokenizer.
        architecture: Its vocab_size bounds the ids; None where they are known to be out of range.
    """
    rows = None if architecture is None else architecture.dimensions.vocab_size
    for text, pair in _PROBES:
        shown = f"{text[:20]!r}{' with a second text' if pair else ''}"
        try:
            largest = max(tokenizer.encode(text, pair).ids, default=-1)
        except CheckpointError as error:
            return [
                Finding(
                    "tokenizer-cannot-encode",
                    "error",
                    f"{error.message} ({shown})",
                    _HINT,
                    where=tokenizer.file,
                    expected="tokens",
                    actual="an error",
                )
            ]
        if rows is not None and largest >= rows:
            # The vocabulary has no such id: it comes from the template around every text.
            return [
                Finding(
                    "token-ids-out-of-range",
                    "error",
                    f"{tokenizer.file} gives the id {largest} in {shown}; ids must be below {rows} (vocab_size)",
                    _HINT,
                    where=f"{tokenizer.file} post_processor",
                    expected=f"ids below {rows}",
                    actual=largest,
                )
            ]
    return []
