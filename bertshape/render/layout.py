"""A report as one screen: tokens beside the shapes where there is room, above them elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.console import Group
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from bertshape.render.explain import EXPLAIN
from bertshape.render.findings import finding_lines
from bertshape.render.heads import task_section
from bertshape.render.inspect import head, output_section, pooled_section
from bertshape.render.layers import layer_section
from bertshape.render.phrases import SAID_IN_HEAD
from bertshape.render.sentence_chain import chain_line
from bertshape.render.tables import ASCII, UNICODE, Section, Signs, labelled
from bertshape.render.token_table import token_sections
from bertshape.render.word_table import word_sections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from bertshape.report.report import Report

_BETWEEN = 4
"""Columns between tokens and shapes."""
_SENTENCE = 100
"""Columns of an explanation: longer lines are hard to read."""
_SCREEN = 32
"""Lines that tokens may take beside the shapes: more, and the shapes' top has scrolled away at their end."""


@dataclass(frozen=True)
class Page:
    """How a report is laid out.

    Attributes:
        columns: Width.
        all_tokens: Whether a long token list is shown whole.
        hidden_states: Whether every hidden state has its row.
        unicode: Whether stars, bars and lines may be more than ASCII.
        explain: Whether each table is followed by what a newcomer needs.
        beside: Whether tokens may stand beside the shapes.
    """

    columns: int
    all_tokens: bool = False
    hidden_states: bool = False
    unicode: bool = True
    explain: bool = False
    beside: bool = True

    @property
    def signs(self) -> Signs:
        """Characters that may be used."""
        return UNICODE if self.unicode else ASCII

    def whole(self, report: Report) -> RenderableType:
        """All of it."""
        return Group(*self.parts(report))

    def parts(self, report: Report, phase: str | None = None) -> tuple[RenderableType, RenderableType]:
        """What a run does not change, and so may be printed before it; then what it turns from predicted to observed.

        Tokens are in the second part where they stand beside the shapes, for lines are drawn as a whole.

        Args:
            report: The report.
            phase: What is under way, such as `importing torch`; it stands where the findings will be.
        """
        tokens, shapes = self._tokens(report), self._shapes(report)
        top = [*head(report, self.columns, self.signs), Text()]
        if self._fit_beside(tokens, shapes):
            return Group(*top), Group(self._side_by_side(tokens, shapes), *self._rest(report, phase))
        fixed = Group(*top, *self._stacked(tokens), Text())
        return fixed, Group(*self._stacked(shapes), *self._rest(report, phase))

    def _tokens(self, report: Report) -> list[Section]:
        sections = token_sections(report, all_tokens=self.all_tokens, signs=self.signs)
        sections[-1] = self._explained(sections[-1], "tokens", report)
        if report.words:
            sections += word_sections(report, all_tokens=self.all_tokens, signs=self.signs)
        return sections

    def _shapes(self, report: Report) -> list[Section]:
        outputs = output_section(report, hidden_states=self.hidden_states, signs=self.signs)
        pooled = pooled_section(report, signs=self.signs)
        return [self._explained(outputs, "outputs", report), self._explained(pooled, "pooled", report)]

    def _parts(self, report: Report) -> list[Section]:
        """What only some reports have."""
        sections = []
        if report.tasks:
            sections.append(self._explained(task_section(report, signs=self.signs), "tasks", report))
        if report.layers is not None:
            sections.append(self._explained(layer_section(report.layers, signs=self.signs), "layers", report))
        return sections

    def _explained(self, section: Section, table: str, report: Report) -> Section:
        return replace(section, below=(*section.below, *self._explanation(table, report)))

    def _explanation(self, table: str, report: Report) -> list[RenderableType]:
        if not self.explain:
            return []
        return [Constrain(EXPLAIN[table](report), min(self.columns, _SENTENCE))]

    def _fit_beside(self, tokens: list[Section], shapes: list[Section]) -> bool:
        """Whether tokens and shapes fit side by side, and the shapes stay in sight."""
        # Sentences take the whole width.
        if self.explain or not self.beside:
            return False
        least = max(section.least for section in tokens) + _BETWEEN + max(section.least for section in shapes)
        return least <= self.columns and _height(tokens, self.columns) <= max(_SCREEN, _height(shapes, self.columns))

    def _side_by_side(self, left: list[Section], right: list[Section]) -> RenderableType:
        room = self.columns - _BETWEEN
        # The shapes come first; tokens may then take what they like, and the shapes get the rest.
        width = max(section.natural for section in left)
        width = min(width, room - max(section.least for section in right))
        grid = Table.grid(padding=(0, _BETWEEN, 0, 0))
        for columns in (width, room - width):
            grid.add_column(width=columns)
        grid.add_row(*(Group(*self._stacked(half, n)) for half, n in ((left, width), (right, room - width))))
        return grid

    def _stacked(self, sections: Iterable[Section], columns: int | None = None) -> list[RenderableType]:
        parts: list[RenderableType] = []
        for section in sections:
            parts += [*([Text()] if parts else []), section.render(columns or self.columns, self.signs)]
        return parts

    def _rest(self, report: Report, phase: str | None) -> list[RenderableType]:
        """What stands below the shapes: task heads, layers, the chain, findings, and what to do next."""
        below = [part for section in self._parts(report) for part in (Text(), section.render(self.columns, self.signs))]
        lines: list[RenderableType] = []
        if report.embedding:
            lines += [chain_line(report, self.columns, self.signs), *self._explanation("chain", report)]
        if phase is not None:
            return [*below, Text(), *lines, labelled(self.signs.dots, phase, style="yellow")]
        findings = [finding for finding in report.findings if finding.code not in SAID_IN_HEAD]
        lines += finding_lines(findings)
        if all(finding.severity == "note" for finding in findings):
            lines += _use(report)
        return [*below, *([Text(), *lines] if lines else [])]


def _height(sections: Iterable[Section], columns: int) -> int:
    heights = [section.height(columns) for section in sections]
    return sum(heights) + len(heights) - 1


def _use(report: Report) -> list[RenderableType]:
    """The layer that takes the vector which the checkpoint declares, or that most take."""
    name = next((name for name, pooled in report.pooled.items() if pooled.declared), "mean")
    pooled = report.pooled.get(name)
    # A model that has its head needs no other one.
    if pooled is None or pooled.shape is None or any(task.outputs for task in report.tasks.values()):
        return []
    size = pooled.shape.sizes[-1]
    return [labelled("use", Text(f"nn.Linear({size}, num_labels) on {name}"))]
