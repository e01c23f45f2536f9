"""Two checkpoints as a page: what differs in two columns, what is equal folded below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertshape.render.page.document import document, fragment

if TYPE_CHECKING:
    from bertshape.pipelines.diff import Comparison


def diff_page(comparison: Comparison) -> str:
    """A comparison as a page that stands alone."""
    return document("diff", f"bertshape diff: {comparison.before} and {comparison.after}", _context(comparison))


def diff_fragment(comparison: Comparison) -> str:
    """The same for a notebook."""
    return fragment("diff", _context(comparison))


def _context(comparison: Comparison) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "differing": [change for change in comparison.scalars if change.differs],
        "equal": [change for change in comparison.scalars if not change.differs],
    }
