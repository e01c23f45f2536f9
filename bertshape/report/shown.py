"""How a notebook shows a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Shown:
    """A result that a notebook shows as a page.

    Attributes:
        as_html: What draws it; None where only the command line is in use. It lies above the rooms that make results,
            so that `notebook` sets it.
    """

    as_html: ClassVar[Callable[[Any], str] | None] = None

    def _repr_html_(self) -> str | None:
        draw = Shown.as_html
        return None if draw is None else draw(self)
