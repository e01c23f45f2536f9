"""What a pipeline says while it works, to whoever wants to show it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.report.report import Report


class Events:
    """Listens to nothing; the command line draws a screen in its place.

    What only a program of its own may do, such as holding signals back while torch is imported, belongs to who
    listens: a pipeline that is called from Python changes nothing outside its own objects.

    Attributes:
        progress: Whether downloads may draw a bar on stderr.
    """

    progress = False

    def predicted(self, report: Report) -> None:
        """The prediction is there, and a run follows."""

    def phase(self, what: str, texts: int | None = None) -> None:
        """Something slow begins, such as `importing torch`; `advanced` counts the texts that it is done with.

        Args:
            what: What it is.
            texts: How many texts it takes; None where that is not known.
        """

    def importing(self) -> AbstractContextManager[None]:
        """Stands around the import of torch and transformers."""
        return nullcontext()

    def advanced(self, texts: int) -> None:
        """The phase is done with so many more texts."""


SILENT = Events()
