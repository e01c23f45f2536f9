"""The parts of a report in the order in which they are shown, for a terminal and for documents alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.rendering.tables import render_findings, render_head, render_outputs, render_pooled, render_tokens

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report import Report


@dataclass(frozen=True)
class Page:
    """How a report is laid out.

    Attributes:
        columns: Width.
        all_tokens: Whether a long token list is shown whole.
        hidden_states: Whether every hidden state has its line.
        unicode: Whether stars and lines may be more than ASCII.
    """

    columns: int
    all_tokens: bool = False
    hidden_states: bool = False
    unicode: bool = True

    def tokens(self, report: Report) -> RenderableType:
        """What is known at once: the checkpoint, the tokens, the words."""
        parts = [render_head(report), render_tokens(report, self.columns, all_tokens=self.all_tokens), Text()]
        if report.words:
            from bertshape.rendering.word_table import render_words

            parts += [render_words(report, self.columns, all_tokens=self.all_tokens), Text()]
        return Group(*parts)

    def shapes(self, report: Report) -> RenderableType:
        """What a run turns from predicted to observed."""
        star = "\N{BLACK STAR}" if self.unicode else "*"
        parts = [
            render_outputs(report, self.columns, hidden_states=self.hidden_states),
            render_pooled(report, self.columns, star=star),
        ]
        # Not on top: most reports have none of these, and every module costs a little of each start.
        if report.embedding or report.tasks or report.layers is not None:
            from bertshape.rendering.model_parts import render_embedding, render_layers, render_tasks

            parts += [render_embedding(report, self.columns)] if report.embedding else []
            parts += [render_tasks(report, self.columns)] if report.tasks else []
            parts += (
                [render_layers(report.layers, self.columns, unicode=self.unicode)] if report.layers is not None else []
            )
        return Group(*(piece for part in parts for piece in (part, Text())[: 1 if part is parts[-1] else 2]))

    def findings(self, report: Report) -> RenderableType:
        """What to know; empty where there is nothing."""
        return render_findings(report)

    def whole(self, report: Report) -> RenderableType:
        """All of it."""
        findings = [Text(), self.findings(report)] if report.findings else []
        return Group(self.tokens(report), self.shapes(report), *findings)
