"""The parts of a report in the order in which they are shown, for a terminal and for documents alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.inspect import render_findings, render_head, render_outputs, render_pooled, render_tokens

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.report import Report


@dataclass(frozen=True)
class Page:
    """How a report is laid out.

    Attributes:
        columns: Width.
        all_tokens: Whether a long token list is shown whole.
        hidden_states: Whether every hidden state has its line.
        unicode: Whether stars and lines may be more than ASCII.
        explain: Whether each table is followed by what a newcomer needs.
    """

    columns: int
    all_tokens: bool = False
    hidden_states: bool = False
    unicode: bool = True
    explain: bool = False

    def tokens(self, report: Report) -> RenderableType:
        """What is known at once: the checkpoint, the tokens, the words."""
        parts = [render_tokens(report, self.columns, all_tokens=self.all_tokens)]
        if self.explain:
            parts.append(self._explained(report, "tokens"))
        if report.words:
            from bertshape.render.word_table import render_words

            parts += [Text(), render_words(report, self.columns, all_tokens=self.all_tokens)]
        return Group(render_head(report), *parts, Text())

    def shapes(self, report: Report) -> RenderableType:
        """What a run turns from predicted to observed."""
        parts: list[RenderableType] = []
        for name, table in self._tables(report).items():
            explained = [self._explained(report, name)] if self.explain else []
            parts += [*([Text()] if parts else []), table, *explained]
        return Group(*parts)

    def _tables(self, report: Report) -> dict[str, RenderableType]:
        star = "\N{BLACK STAR}" if self.unicode else "*"
        tables = {
            "outputs": render_outputs(report, self.columns, hidden_states=self.hidden_states),
            "pooled": render_pooled(report, self.columns, star=star),
        }
        # Not on top: most reports have none of these, and every module costs a little of each start.
        if report.embedding:
            from bertshape.render.sentence_chain import render_embedding

            tables["embedding"] = render_embedding(report, self.columns)
        if report.tasks or report.layers is not None:
            from bertshape.render.model_parts import render_layers, render_tasks

            if report.tasks:
                tables["tasks"] = render_tasks(report, self.columns)
            if report.layers is not None:
                tables["layers"] = render_layers(report.layers, self.columns, unicode=self.unicode)
        return tables

    def _explained(self, report: Report, table: str) -> RenderableType:
        from bertshape.render import explain

        about = {
            "tokens": explain.explain_tokens,
            "outputs": explain.explain_outputs,
            "pooled": explain.explain_pooled,
            "embedding": explain.explain_embedding,
            "tasks": explain.explain_tasks,
            "layers": explain.explain_layers,
        }
        return about[table](report)

    def findings(self, report: Report) -> RenderableType:
        """What to know; empty where there is nothing."""
        return render_findings(report.findings)

    def whole(self, report: Report) -> RenderableType:
        """All of it."""
        findings = [Text(), self.findings(report)] if report.findings else []
        return Group(self.tokens(report), self.shapes(report), *findings)
