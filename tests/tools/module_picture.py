"""One picture of the modules and of the flow through them, drawn from docs/architecture.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGE = Path(__file__).parent.parent.parent / "docs" / "architecture.md"
# Columns of the picture. Imports lead to the left or stay inside a column; a module that is not named here stands
# in the column of the rightmost module that it imports.
STAGES: Mapping[str, tuple[str, ...]] = {
    "ground": ("errors", "folding", "shapes", "strict_json", "hub_failures"),
    "files": ("files", "weights", "hub", "locate", "sentence_embedding", "checkpoint", "records"),
    "rules": ("architectures", "pooling", "layers", "expectations", "contract"),
    "texts": ("tokenizer", "tokenization", "words", "declared", "encoding"),
    "predict, judge": (
        *("report", "request", "tasks", "prediction", "embedding"),
        *("soundness", "notes", "facts", "case"),
    ),
    "run": ("forward", "agreement"),
    "pipelines": (
        *("inspection", "api", "streaming", "vectors", "profiling"),
        *("checking", "snapshot", "comparison", "diagnosis"),
    ),
    "show": ("rendering", "cli", "pytest_plugin"),
}
_LEFT, _WIDTH, _BOX, _HEIGHT, _ROW, _TOP = 32, 200, 172, 30, 48, 154


@dataclass(frozen=True)
class Box:
    """Place of a module: its upper left corner, and its column."""

    x: float
    y: float
    column: int


def read_imports() -> dict[str, set[str]]:
    """The table: module -> modules it may import."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|$", _PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {module: set(re.findall(r"`(\w+)`", allowed)) for module, allowed in rows}


def read_flow() -> list[str]:
    """The steps of the flow, in order."""
    block = re.search(r"```text\n(.+? -> .+?)\n```", _PAGE.read_text(encoding="utf-8"))
    assert block is not None
    return block[1].split(" -> ")


def columns_of(imports: Mapping[str, set[str]]) -> dict[str, int]:
    """Column of each module."""
    columns = {module: index for index, modules in enumerate(STAGES.values()) for module in modules}

    def column(module: str) -> int:
        if module not in columns:
            columns[module] = max(map(column, imports[module]), default=0)
        return columns[module]

    return {module: column(module) for module in imports}


def direct_imports(imports: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Imports that no chain of others implies (the transitive reduction): all of them could not be read."""

    def reach(module: str) -> set[str]:
        return imports[module].union(*map(reach, imports[module]))

    return [
        (module, other)
        for module in imports
        for other in sorted(imports[module])
        if not any(other in reach(between) for between in imports[module] - {other})
    ]


def _height_of_neighbours(module: str, edges: list[tuple[str, str]], boxes: Mapping[str, Box]) -> float:
    """Mean height of the modules that lines join to this one, as far as they have a place."""
    neighbours = {name for edge in edges if module in edge for name in edge if name != module and name in boxes}
    return sum(boxes[name].y for name in sorted(neighbours)) / max(1, len(neighbours))


def _place(imports: Mapping[str, set[str]], edges: list[tuple[str, str]]) -> dict[str, Box]:
    """Boxes in columns, each near the modules that it imports, so that lines cross less."""
    columns = columns_of(imports)
    members = {index: [m for m in imports if columns[m] == index] for index in range(len(STAGES))}
    tallest = max(map(len, members.values()))
    boxes: dict[str, Box] = {}
    for _ in range(4):
        for index, modules in members.items():
            modules.sort(key=lambda module: _height_of_neighbours(module, edges, boxes))
            offset = _TOP + (tallest - len(modules)) * _ROW / 2
            for row, module in enumerate(modules):
                boxes[module] = Box(_LEFT + index * _WIDTH, offset + row * _ROW, index)
    return boxes


def _line(start: Box, end: Box) -> str:
    """A curve from an imported module (left) to the module that imports it."""
    y1, y2 = start.y + _HEIGHT / 2, end.y + _HEIGHT / 2
    if start.column == end.column:
        bow = 8 + abs(y2 - y1) / 9
        return f'<path d="M{start.x} {y1} C{start.x - bow} {y1} {end.x - bow} {y2} {end.x} {y2}"/>'
    x1, x2 = start.x + _BOX, end.x
    bend = min(60, (x2 - x1) / 2)
    return f'<path d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _flow(width: float) -> list[str]:
    """The flow, as a row of arrows above the modules."""
    steps = read_flow()
    step = (width - 24) / len(steps)
    parts = []
    for index, name in enumerate(steps):
        x, words = 12 + index * step, name.split(", ")
        tip = x + step - 6
        outline = f"M{x:.0f} 20 H{tip - 14:.0f} L{tip:.0f} 52 L{tip - 14:.0f} 84 H{x:.0f} L{x + 14:.0f} 52 Z"
        parts.append(f'<path class="flow" d="{outline if index else outline.replace(f" L{x + 14:.0f} 52", "")}"/>')
        top = 58 - 9 * (len(words) - 1)
        parts += [
            f'<text class="step" x="{x + step / 2:.0f}" y="{top + 18 * row}">{escape(word)}</text>'
            for row, word in enumerate(words)
        ]
    return parts


def draw_modules() -> str:
    """The picture: the flow above, below it the modules from what needs nothing to what is used.

    Returns:
        An SVG document.
    """
    imports = read_imports()
    edges = direct_imports(imports)
    boxes = _place(imports, edges)
    width = _LEFT + len(STAGES) * _WIDTH - _WIDTH + _BOX + 12
    height = max(box.y for box in boxes.values()) + _HEIGHT + 14
    parts = _flow(width)
    parts += [
        f'<text class="stage" x="{_LEFT + index * _WIDTH + _BOX / 2}" y="128">{escape(stage)}</text>'
        for index, stage in enumerate(STAGES)
    ]
    parts += [_line(boxes[imported], boxes[module]) for module, imported in edges]
    for module, box in boxes.items():
        parts.append(f'<rect x="{box.x}" y="{box.y}" width="{_BOX}" height="{_HEIGHT}" rx="5"/>')
        parts.append(f'<text x="{box.x + _BOX / 2}" y="{box.y + 20.5}">{escape(module)}</text>')
    style = (
        "text { font: 16px sans-serif; text-anchor: middle; fill: #1c2b33 } .stage { font-weight: bold; fill: #546e7a }"
        " .step { font-size: 17px } rect { fill: #eceff1; stroke: #546e7a } .flow { fill: #cfd8dc; stroke: none }"
        " path { fill: none; stroke: #78909c; stroke-opacity: 0.6 } .ground { fill: #fff; stroke: none }"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    ground = f'<rect class="ground" width="{width}" height="{height}" rx="8"/>'
    return "\n".join([head, f"<style>{style}</style>", ground, *parts, "</svg>"]) + "\n"
