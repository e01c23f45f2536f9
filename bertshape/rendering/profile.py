"""A profile for people: a histogram, and tables of what is cut and what is padded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bertshape.profiling import summarize
from bertshape.profiling.summary import histogram
from bertshape.rendering.escape import human_bytes, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.profiling import Profile
    from bertshape.profiling.summary import Summary

_SHOWN_FILES = 5
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render_profile(profile: Profile, columns: int, *, unicode: bool = True) -> RenderableType:
    """The whole profile.

    Args:
        profile: The counts.
        columns: Width of the terminal.
        unicode: Draw bars with block characters.
    """
    summary = summarize(profile)
    parts: list[RenderableType] = [_head(profile, summary)]
    if summary.length is not None:
        parts += [Text(), *_lengths(profile, summary, columns, unicode=unicode)]
        parts += [Text(), *_cuts(summary)] if summary.cuts else []
        parts += [Text(), *_waste(profile, summary)]
    return Group(*parts)


def _head(profile: Profile, summary: Summary) -> Text:
    names = [visible(name) for name, _ in profile.files]
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    return Text("\n").join(
        [
            Text(f"{', '.join(names[:_SHOWN_FILES])}{more}", style="bold"),
            Text(f"{summary.texts:,} texts, {summary.tokens:,} tokens, {summary.special:,} of them special"),
            Text(
                f"{summary.unknown_share:.3%} of the {summary.tokens - summary.special:,} content tokens are unknown, "
                f"in {summary.texts_with_unknown:,} texts"
            ),
        ]
    )


def _lengths(profile: Profile, summary: Summary, columns: int, *, unicode: bool) -> list[RenderableType]:
    length = summary.length
    assert length is not None
    title = Text("Tokens a text", style="bold")
    ranks = "  ".join(f"{percent}%: {value}" for percent, value in length.percentiles.items())
    line = Text(f"min {length.least}  mean {length.mean:.1f}  {ranks}  max {length.most}")
    rows = histogram(profile.counts.lengths)
    most = max(count for _, _, count in rows)
    spans = [f"{low}-{high}" if low != high else str(low) for low, high, _ in rows]
    width = max(columns - max(map(len, spans)) - len(f"{most:,}") - 12, 5)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    for justify in ("right", "left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for span, (_, _, count) in zip(spans, rows, strict=True):
        bar = Text(_bar(count, most, min(width, 60), unicode=unicode), style="cyan")
        table.add_row(span, bar, f"{count:,}", f"{count / summary.texts:.1%}")
    return [title, line, table]


def _bar(count: int, most: int, width: int, *, unicode: bool) -> str:
    """A bar; anything that is there has at least a mark."""
    if not unicode:
        return "#" * max(round(count * width / most), 1 if count else 0)
    eighths = max(round(count * width * 8 / most), 1 if count else 0)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _cuts(summary: Summary) -> list[RenderableType]:
    table = _table("limit", "declared in", "texts cut", "share", "tokens lost")
    for cut in sorted(summary.cuts, key=lambda cut: cut.limit):
        share = Text(f"{cut.share:.2%}", style="yellow" if cut.texts else "")
        table.add_row(str(cut.limit), visible(cut.where), f"{cut.texts:,}", share, f"{cut.tokens:,}")
    return [Text("What each limit cuts", style="bold"), table]


def _waste(profile: Profile, summary: Summary) -> list[RenderableType]:
    title = Text("Padding", style="bold")
    if profile.setting.cut_at is not None:
        title.append(f"  texts cut at {profile.setting.cut_at}", style="not bold")
    table = _table("batch", "padded to", "batches", "wasted", "largest", "float32", "float16")
    for row in summary.waste:
        largest = f"[{row.largest[0]}, {row.largest[1]}, {profile.setting.hidden_size}]"
        sizes = [human_bytes(row.bytes[dtype]) for dtype in ("float32", "float16")]
        padding = row.padding.replace("longest, sorted by length", "longest, sorted")
        table.add_row(str(row.batch_size), padding, f"{row.batches:,}", f"{row.share:.1%}", largest, *sizes)
    return [title, table]


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        words = header in ("declared in", "padded to", "largest")
        table.add_column(header, justify="left" if words else "right", overflow="fold", no_wrap=not words)
    return table
