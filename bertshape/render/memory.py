"""The memory of a model, for people and for programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.escape import human_bytes, visible
from bertshape.render.findings import finding_lines
from bertshape.render.markdown import escape, write_findings
from bertshape.render.tables import UNICODE, Column, Grid, Signs, title
from bertshape.report.memory import USES
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from bertshape.report.finding import Finding
    from bertshape.report.memory import DtypeMemory, Fit, MemoryReport, Use

LEFT_OUT = "the CUDA context, what the allocator keeps, and the workspace of kernels"
"""What takes memory besides tensors."""
_WIDTHS = {"float32": "32 bit", "float16": "16 bit"}
"""The dtypes that people see: bfloat16 takes what float16 does."""
_USES: dict[Use, str] = {
    "inference": "inference",
    "training": "training with AdamW",
    "training_checkpointing": "and gradient checkpointing",
}
_CSV = ("dtype", "use", "attention", "what", "bytes", "batch_size", "length")
Ways = list[tuple[str, str]]
Cells = tuple[str, ...]


def render_memory(report: MemoryReport, columns: int, signs: Signs = UNICODE) -> RenderableType:
    """What the model takes, and what fits.

    Args:
        report: The memory.
        columns: Width of the terminal.
        signs: Characters of the terminal.
    """
    parts: list[RenderableType] = [*_head(report, signs)]
    for heading, headers, rows in _tables(report, signs.dash):
        grid = Grid((Column(headers[0]), *(Column(name, right=True) for name in headers[1:])),
                    [tuple(map(Text, row)) for row in rows])  # fmt: skip
        parts += [Text(), title(*heading), grid.render(columns, signs)]
    grave = _grave(report)
    return Group(*parts, *([Text(), *finding_lines(grave)] if grave else []))


def render_memory_markdown(report: MemoryReport) -> str:
    """The same as Markdown tables, every foreign cell escaped."""
    first, *lines = _head(report, UNICODE)
    blocks = [f"## {escape(first.plain)}", *(escape(line.plain) for line in lines)]
    for heading, headers, rows in _tables(report, UNICODE.dash):
        blocks.append(f"### {'; '.join(heading)}")
        table = (headers, ("---",) * len(headers), *rows)
        blocks.append("\n".join(f"| {' | '.join(cells)} |" for cells in table))
    grave = _grave(report)
    return "\n\n".join([*blocks, *(["### Findings", write_findings(grave)] if grave else [])]) + "\n"


def render_memory_csv(report: MemoryReport) -> str:
    """The same numbers as one table for programs, one number of bytes a row; what fits has texts and tokens."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(memory_rows(report))
    return text.getvalue()


def memory_rows(report: MemoryReport) -> Iterator[tuple[object, ...]]:
    """The rows of that table, headers first."""
    yield _CSV
    shape = (report.batch_size, report.length)
    for dtype in report.dtypes:
        yield from ((dtype.dtype, *row, *shape) for row in _numbers(dtype))
    for fit in report.fits:
        way = (fit.dtype, fit.use, fit.attention)
        yield *way, "largest batch_size", report.memory, fit.batch_size, report.length
        yield *way, "longest length", report.memory, report.batch_size, fit.length


def _numbers(memory: DtypeMemory) -> Iterator[tuple[object, ...]]:
    """Use, attention, what it is, and its bytes; nothing stands for all uses or implementations."""
    yield from (("", "", "weights", memory.weights), ("training", "", "gradients", memory.gradients))
    for name, size in memory.optimizer.items():
        yield "training", "", f"states of {name}", size
    kept = {name: getattr(memory, name) for name in ("hidden_states", "attentions", "past_key_values")}
    for output, added in kept.items():
        if added is not None:
            yield "inference", "eager" if output == "attentions" else "", output, added
    for peak in memory.peaks:
        yield peak.use, peak.attention, "activations", peak.activations
        yield peak.use, peak.attention, "total", peak.total


def _head(report: MemoryReport, signs: Signs) -> list[Text]:
    facts = (
        report.model_type,
        counted(report.num_hidden_layers, "layer"),
        f"hidden_size {report.hidden_size}",
        f"{report.parameters / 1e6:,.1f} M parameters",
    )
    batch = f"{counted(report.batch_size, 'text')} of {counted(report.length, 'token')}"
    said = f"Tensor bytes of {batch}" if report.measured else "Tensor bytes of the weights"
    return [
        Text.assemble((visible(report.model), "bold"), "   ", visible(signs.between.join(facts))),
        Text(f"{said}; not counted: {LEFT_OUT}"),
    ]


def _ways(report: MemoryReport) -> Ways:
    """The columns: each dtype with each implementation of attention."""
    known = {(dtype.dtype, peak.attention) for dtype in report.dtypes for peak in dtype.peaks}
    return [(dtype, name) for dtype in _WIDTHS for name in ("eager", "sdpa") if (dtype, name) in known]


def _tables(report: MemoryReport, dash: str) -> Iterator[tuple[tuple[str, ...], Cells, list[Cells]]]:
    """Heading, headers and rows of each table."""
    dtypes = {dtype.dtype: dtype for dtype in report.dtypes}
    ways = _ways(report) or [(name, "") for name in _WIDTHS]
    headers = ("", *(f"{_WIDTHS[dtype]} {attention}".strip() for dtype, attention in ways))

    def row(name: str, value: Callable[[DtypeMemory, str], int | None]) -> Cells:
        sizes = [value(dtypes[dtype], attention) for dtype, attention in ways]
        return (name, *(dash if size is None else human_bytes(size) for size in sizes))

    cached = any(dtype.past_key_values is not None for dtype in report.dtypes)
    yield ("Inference",), headers, list(_inference(row, measured=report.measured, cached=cached))
    yield ("Training",), headers, list(_training(row, measured=report.measured))
    if report.fits:
        room = f"into {_both(report.memory or 0)}"
        batch = f"of {counted(report.length, 'token')} that fits {room}"
        most = f"the model takes {report.most:,}" if report.most else "no limit is set"
        tokens = f"in a batch of {report.batch_size:,} that fits {room}; {most}"
        sizes, lengths = [fit.batch_size for fit in report.fits], [fit.length for fit in report.fits]
        yield ("Largest batch", batch), headers, _fits(report.fits, ways, sizes, dash)
        yield ("Longest", tokens), headers, _fits(report.fits, ways, lengths, dash)


def _both(size: int) -> str:
    """Bytes in powers of 1024, and before them in those of ten where that is how they were asked for."""
    tens = {"TB": 10**12, "GB": 10**9, "MB": 10**6}
    unit = next((name for name, value in tens.items() if size >= value and size % (value // 100) == 0), None)
    return human_bytes(size) if unit is None else f"{size / tens[unit]:,g} {unit} ({human_bytes(size)})"


def _peak(use: Use, part: str) -> Callable[[DtypeMemory, str], int | None]:
    def value(memory: DtypeMemory, attention: str) -> int | None:
        found = next((peak for peak in memory.peaks if (peak.use, peak.attention) == (use, attention)), None)
        return None if found is None else getattr(found, part)

    return value


def _inference(row: Callable[..., Cells], *, measured: bool, cached: bool) -> Iterator[Cells]:
    yield row("weights", lambda memory, _: memory.weights)
    if measured:
        yield row("activations", _peak("inference", "activations"))
        yield row("total", _peak("inference", "total"))
        yield row("+ hidden_states", lambda memory, _: memory.hidden_states)
        yield row("+ attentions", lambda memory, name: memory.attentions if name == "eager" else None)
        cache = row("+ past_key_values", lambda memory, _: memory.past_key_values)
        yield from [cache] if cached else []


def _training(row: Callable[..., Cells], *, measured: bool) -> Iterator[Cells]:
    yield row("gradients", lambda memory, _: memory.gradients)
    yield row("states of AdamW", lambda memory, _: memory.optimizer["adamw"])
    yield row("... of 8-bit AdamW", lambda memory, _: memory.optimizer["adamw_8bit"])
    if measured:
        yield row("activations", _peak("training", "activations"))
        yield row("... checkpointing", _peak("training_checkpointing", "activations"))
        yield row("total, AdamW", _peak("training", "total"))
        yield row("... checkpointing", _peak("training_checkpointing", "total"))


def _fits(fits: Sequence[Fit], ways: Ways, numbers: Sequence[int], dash: str) -> list[Cells]:
    found: dict[tuple[str, ...], int] = {
        (fit.use, fit.dtype, fit.attention): number for fit, number in zip(fits, numbers, strict=True)
    }
    uses: Iterable[Use] = [use for use in USES if any(fit.use == use for fit in fits)]
    shown = {key: f"{number:,}" if number else "none" for key, number in found.items()}
    return [(_USES[use], *(shown.get((use, *way), dash) for way in ways)) for use in uses]


def _grave(report: MemoryReport) -> list[Finding]:
    """The findings that people must see; most notes are about lengths and tokens."""
    return [found for found in report.findings if found.severity != "note" or found.code.startswith("memory-")]
