"""Completion in bash, which cuts words at `=` and `:` too and replaces no more than what stands behind them."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BREAKS = "=:"


@contextmanager
def whole_words() -> Iterator[None]:
    """Let Typer complete `pooling=me` and `embedded:bert`, and give bash the part that it replaces."""
    given = os.environ.get("COMP_WORDS", "")
    if os.environ.get("_BERTSHAPE_COMPLETE") != "complete_bash" or "\n" not in given:
        yield
        return
    words = _rejoin(given.split("\n")[: int(os.environ.get("COMP_CWORD", "0")) + 1])
    os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    kept = words[-1][: max(map(words[-1].rfind, _BREAKS)) + 1]
    answer = io.StringIO()
    try:
        with redirect_stdout(answer):
            yield
    finally:
        sys.stdout.write("".join(f"{line.removeprefix(kept)}\n" for line in answer.getvalue().splitlines()))


def _rejoin(parts: Sequence[str]) -> list[str]:
    words: list[str] = []
    open_end = False
    for part in parts:
        breaks = bool(part) and not part.strip(_BREAKS)
        if words and (breaks or open_end):
            words[-1] += part
        else:
            words.append(part)
        open_end = breaks
    return words
