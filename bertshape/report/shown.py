"""How a program and a notebook show a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Shown:
    """A result that a notebook shows as a page, Rich as the screen of the command, and `repr` in one line.

    Attributes:
        as_html: What draws the page; None where only the command line is in use. It lies above the rooms that make
            results, so that `notebook` sets it.
        as_rich: What draws the screen, the same way.
    """

    as_html: ClassVar[Callable[[Any], str] | None] = None
    as_rich: ClassVar[Callable[[Any], Any] | None] = None

    def brief(self) -> str:
        """The result in one line; names from a checkpoint as Python writes strings, so that they command nothing."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.brief()}>"

    def _repr_html_(self) -> str | None:
        draw = Shown.as_html
        return None if draw is None else draw(self)

    def __rich__(self) -> Any:
        """What `rich.print(result)` shows: the screen of the command, as wide as the console."""
        draw = Shown.as_rich
        return repr(self) if draw is None else draw(self)
