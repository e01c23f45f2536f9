"""A profile for people: a histogram, and tables of what is cut and what is padded."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.render.escape import human_bytes, visible
from bertshape.render.findings import finding_lines
from bertshape.render.markdown import escape, write_findings
from bertshape.render.tables import ASCII, UNICODE, Column, Grid, Signs, title
from bertshape.report.profile_summary import DTYPES, EFFECTIVE, SORTED, histogram, summarize
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from bertshape.report.finding import Finding
    from bertshape.report.profile import ProfileReport
    from bertshape.report.profile_summary import Length, Summary, Waste

_SHOWN_FILES = 5
_CSV = (
    *("table", "from", "to", "declared_in", "limit", "batch_size", "padding", "batches", "texts", "share", "tokens"),
    *("rows", "sequence_length", "hidden_size", *(f"{dtype}_bytes" for dtype in DTYPES)),
    *(f"{dtype}_memory" for dtype in DTYPES),
)
"""Columns of the table for programs."""
_EFFECTIVE = "effective: what the model runs"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_CUTS = ("limit", "declared in", "texts cut", "share", "tokens lost")
_WASTE = ("batch", "padded to", "batches", "wasted", "largest", "float32", "float16, bfloat16")
_CUT_COLUMNS = (
    Column("limit", right=True),
    Column("declared in", folds=16),
    Column("texts cut", right=True, drop=1),
    Column("share", right=True),
    Column("tokens lost", right=True, drop=2),
)
_WASTE_COLUMNS = (
    Column("batch", right=True),
    Column("padded to"),
    Column("batches", right=True, drop=3),
    Column("wasted", right=True),
    Column("largest batch", drop=1),
    Column("float32", right=True, drop=2),
    Column("16 bit", right=True, drop=2),
)


def render_profile(profile: ProfileReport, columns: int, *, unicode: bool = True) -> RenderableType:
    """The whole profile.

    Args:
        profile: The counts.
        columns: Width of the terminal.
        unicode: Draw bars with block characters.
    """
    summary = summarize(profile)
    signs = UNICODE if unicode else ASCII
    names, *lines = _head(profile, summary)
    parts: list[RenderableType] = [Text(visible(names), style="bold"), *(Text(visible(line)) for line in lines)]
    if summary.length is not None:
        parts += [Text(), Text("Tokens per text", style="bold"), Text(_length(summary.length))]
        parts += [_bars(profile, summary, columns, unicode=unicode)]
        parts += [Text(), *_cuts(summary, columns, signs)] if summary.cuts else []
        parts += [Text(), *_waste(profile, summary, columns, signs)]
    grave = _grave(profile)
    if grave:
        parts += [Text(), *finding_lines(grave)]
    return Group(*parts)


def render_profile_markdown(profile: ProfileReport) -> str:
    """The same numbers as Markdown tables, every foreign cell escaped."""
    summary = summarize(profile)
    names, *lines = _head(profile, summary)
    blocks = [f"## {escape(names)}", "\n".join(f"- {escape(line)}" for line in lines)]
    if summary.length is not None:
        rows = [(_span(low, high), f"{count:,}") for low, high, count in histogram(profile.counts.lengths)]
        blocks += ["### Tokens per text", escape(_length(summary.length)), _markdown(("tokens", "texts"), rows)]
        cuts = [(cut.limit, escape(cut.where), *_cut_cells(cut.texts, cut.share, cut.tokens)) for cut in summary.cuts]
        blocks += ["### What each limit cuts", _markdown(_CUTS, cuts)] if cuts else []
        waste = [_waste_cells(profile, row) for row in summary.waste]
        blocks += [
            "### Padding",
            escape(basis(profile)),
            _markdown(_WASTE, waste),
        ]
    grave = _grave(profile)
    if grave:
        blocks += ["### Findings", write_findings(grave)]
    return "\n\n".join(blocks) + "\n"


def render_profile_csv(profile: ProfileReport) -> str:
    """The same numbers as one table for programs; its first column says which table for people a row is of."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, _CSV, restval="", lineterminator="\n")
    table.writeheader()
    summary = summarize(profile)
    for low, high, count in histogram(profile.counts.lengths) if profile.counts.lengths else ():
        table.writerow({"table": "lengths", "from": low, "to": high, "texts": count})
    for cut in summary.cuts:
        row = {"declared_in": cut.where, "limit": cut.limit, "texts": cut.texts, "share": cut.share}
        table.writerow({"table": "cuts", **row, "tokens": cut.tokens})
    for waste in summary.waste:
        rows, length = waste.largest
        row = {"batch_size": waste.batch_size, "padding": waste.padding, "batches": waste.batches}
        shape = {"rows": rows, "sequence_length": length, "hidden_size": profile.setting.hidden_size}
        sizes = {f"{dtype}_bytes": waste.bytes[dtype] for dtype in DTYPES}
        sizes |= {f"{dtype}_memory": size for dtype, size in waste.memory.items()}
        table.writerow({"table": "padding", **row, "share": waste.share, **shape, **sizes})
    return text.getvalue()


def _grave(profile: ProfileReport) -> list[Finding]:
    """The findings that people must see; the notes are about lengths, which the tables show."""
    return [finding for finding in profile.findings if finding.severity != "note"]


def _head(profile: ProfileReport, summary: Summary) -> list[str]:
    """Names of the files, and lines about the whole."""
    # The same name twice may be two files of two machines, or one that was counted twice: only a person can tell.
    times = Counter(name for name, _ in profile.files)
    names = [name if count == 1 else f"{name} ({count} times)" for name, count in times.items()]
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    content = summary.tokens - summary.special
    lines = [
        f"{', '.join(names[:_SHOWN_FILES])}{more}",
        f"tokenizer of {profile.model}" if profile.model else f"tokenizer {profile.setting.tokenizer[:19]}",
        f"{counted(summary.texts, 'text')}, {counted(summary.tokens, 'token')}, {summary.special:,} of them special",
    ]
    if profile.setting.unknown_token is None:
        return [*lines, "the tokenizer has no unknown token"]
    within = f"in {counted(summary.texts_with_unknown, 'text')}"
    return [*lines, f"{summary.unknown_share:.3%} of {counted(content, 'content token')} unknown, {within}"]


def _length(length: Length) -> str:
    ranks = "  ".join(f"{percent:g}%: {value}" for percent, value in length.percentiles.items())
    return f"min {length.least}  mean {length.mean:.1f}  {ranks}  max {length.most}"


def _span(low: int, high: int) -> str:
    return f"{low}-{high}" if low != high else str(low)


def _bars(profile: ProfileReport, summary: Summary, columns: int, *, unicode: bool) -> Table:
    rows = histogram(profile.counts.lengths)
    most = max(count for _, _, count in rows)
    spans = [_span(low, high) for low, high, _ in rows]
    width = max(columns - max(map(len, spans)) - len(f"{most:,}") - 12, 5)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    for justify in ("right", "left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for span, (_, _, count) in zip(spans, rows, strict=True):
        bar = Text(_bar(count, most, min(width, 60), unicode=unicode), style="cyan")
        table.add_row(span, bar, f"{count:,}", f"{count / summary.texts:.1%}")
    return table


def _bar(count: int, most: int, width: int, *, unicode: bool) -> str:
    """A bar; anything that is there has at least a mark."""
    if not unicode:
        return "#" * max(round(count * width / most), 1 if count else 0)
    eighths = max(round(count * width * 8 / most), 1 if count else 0)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _cut_cells(texts: int, share: float, tokens: int) -> tuple[str, str, str]:
    return f"{texts:,}", f"{share:.2%}", f"{tokens:,}"


def _cuts(summary: Summary, columns: int, signs: Signs) -> list[RenderableType]:
    """One row for each limit, whoever declares it."""
    declared: dict[int, list[str]] = {}
    for cut in summary.cuts:
        where = _EFFECTIVE if cut.where == EFFECTIVE else cut.where
        declared.setdefault(cut.limit, []).append(visible(where))
    rows = []
    for cut in {cut.limit: cut for cut in summary.cuts}.values():
        texts, share, tokens = _cut_cells(cut.texts, cut.share, cut.tokens)
        cells = (Text(str(cut.limit)), Text("\n".join(declared[cut.limit])), Text(texts))
        rows.append((*cells, Text(share, style="yellow" if cut.texts else ""), Text(tokens)))
    return [Text("What each limit cuts", style="bold"), Grid(_CUT_COLUMNS, rows).render(columns, signs)]


def basis(profile: ProfileReport) -> str:
    """Which lengths the padding is of."""
    cut_at = profile.setting.cut_at
    texts = "texts are not cut: no limit is known" if cut_at is None else f"of texts cut at {counted(cut_at, 'token')}"
    return f"{texts}; bytes of {_counted_bytes(profile)}"


def _counted_bytes(profile: ProfileReport) -> str:
    """What the bytes of a batch are of."""
    return "a run, weights included" if profile.setting.memory else "last_hidden_state"


def _waste_cells(profile: ProfileReport, row: Waste) -> tuple[str, ...]:
    largest = f"[{row.largest[0]}, {row.largest[1]}, {profile.setting.hidden_size}]"
    # The two 16-bit types share a column: their bytes are the same.
    known = row.memory or row.bytes
    sizes = [human_bytes(known[dtype]) if dtype in known else "-" for dtype in DTYPES[:2]]
    padding = "longest, sorted" if row.padding == SORTED else row.padding
    return (str(row.batch_size), padding, f"{row.batches:,}", f"{row.share:.1%}", largest, *sizes)


def _waste(profile: ProfileReport, summary: Summary, columns: int, signs: Signs) -> list[RenderableType]:
    rows = [tuple(map(Text, _waste_cells(profile, row))) for row in summary.waste]
    return [title("Padding", basis(profile)), Grid(_WASTE_COLUMNS, rows).render(columns, signs)]


def _markdown(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = (headers, ("---",) * len(headers), *rows)
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)
