"""Two checkpoints as a page: what differs in two columns, what is equal folded below."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from bertshape.pipelines.diff import Change
from bertshape.render.page.document import document, fragment

if TYPE_CHECKING:
    from bertshape.pipelines.diff import Comparison
    from bertshape.pipelines.diff_texts import Given, TextComparison


@dataclass(frozen=True)
class TextRows:
    """What both sides give for a text, as rows of two columns.

    Attributes:
        text: The text.
        same: Whether both give the same.
        cosine: That of the two sentence embeddings; None where they cannot be compared.
        reason: Why not.
        rows: Numbers of tokens, and shapes.
        tokens: Tokens by position.
    """

    text: str
    same: bool
    cosine: float | None
    reason: str | None
    rows: tuple[Change, ...]
    tokens: tuple[Change, ...]

    @property
    def parted(self) -> bool:
        """Whether any token differs."""
        return any(change.differs for change in self.tokens)


def diff_page(comparison: Comparison) -> str:
    """A comparison as a page that stands alone."""
    return document("diff", f"bertshape diff: {comparison.before} and {comparison.after}", _context(comparison))


def diff_fragment(comparison: Comparison) -> str:
    """The same for a notebook."""
    return fragment("diff", _context(comparison))


def _context(comparison: Comparison) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "findings": [*zip("AB", comparison.findings, strict=True)],
        "differing": [change for change in comparison.scalars if change.differs],
        "texts": [_of_text(text) for text in comparison.texts],
        "equal": [change for change in comparison.scalars if not change.differs],
    }


def _of_text(compared: TextComparison) -> TextRows:
    before, after = compared.before, compared.after
    names = dict.fromkeys((*before.shapes, *after.shapes))
    shapes = (Change(name, _sizes(before, name), _sizes(after, name)) for name in names)
    counts = Change("tokens", len(before.input_ids), len(after.input_ids))
    pairs = zip_longest(_tokens(before), _tokens(after))
    tokens = (Change(str(position), *pair) for position, pair in enumerate(pairs))
    return TextRows(compared.text, compared.same, compared.cosine, compared.reason, (counts, *shapes), tuple(tokens))


def _sizes(side: Given, name: str) -> str | None:
    return str(list(side.shapes[name])) if name in side.shapes else None


def _tokens(side: Given) -> list[str]:
    return [f"{token} ({number})" for token, number in zip(side.tokens, side.input_ids, strict=True)]
