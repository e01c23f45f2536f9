"""A report as a page: what the template of `inspect` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from bertshape.render.explain import EXPLAIN
from bertshape.render.page.document import document, fragment
from bertshape.render.page.flow import declared_pooling, flow_of
from bertshape.render.page.reads import SHOWN_TEXTS
from bertshape.render.page.snippets import ENCODE, LAST_HIDDEN_STATE, snippets
from bertshape.render.page.strategies import common_axes, strategy_rows, unavailable
from bertshape.render.page.token_rows import colours_of, text_row
from bertshape.render.phrases import SAID_IN_HEAD, limits_line, sorted_findings
from bertshape.render.reads import shown_text
from bertshape.tokens.words import words_of
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.report.report import Report

_TITLE = 60
_UNCHECKED = ("weights-not-checked", "family-unknown")
_WEIGHTS = {"checkpoint": "stored", "random": "random", "none": "not run"}


@dataclass(frozen=True)
class Program:
    """Python that gives a tensor."""

    id: str
    title: str
    code: Markup
    about: str
    first: bool


def inspect_page(report: Report, *, explain: bool = False) -> str:
    """The report as a page that stands alone.

    Args:
        report: The report.
        explain: Whether the notes for newcomers are unfolded.
    """
    text = report.tokenization.rows[0].text
    quoted = text if len(text) <= _TITLE else f"{text[:_TITLE]}…"
    title = f"{report.checkpoint.model}: shapes of “{quoted}”"
    return document("inspect", title, _context(report) | {"explain": explain})


def inspect_fragment(report: Report) -> str:
    """The same for a notebook."""
    return fragment("inspect", _context(report))


def _context(report: Report) -> dict[str, Any]:
    rows = report.tokenization.rows
    colours = [colours_of(row) for row in rows]
    shown = shown_text(rows)
    strategies = strategy_rows(report, colours)
    evidence = {row.pooled.evidence for row in strategies}
    return {
        "report": report,
        "badges": _badges(report),
        "facts": _facts(report),
        "limits": limits_line(report.checkpoint),
        "found": sorted_findings(found for found in report.findings if found.code not in SAID_IN_HEAD)[::-1],
        "texts": [text_row(number, row) for number, row in enumerate(rows)],
        "words": [(number, word) for number, row in enumerate(rows, 1) for word in words_of(row)]
        if report.words
        else [],
        "flow": flow_of(report, colours[shown]),
        "shown": shown,
        "drawn": "a line per text" if len(rows) <= SHOWN_TEXTS else f"of text {shown + 1}",
        "ran": _ran(report),
        "strategies": strategies,
        "starred": any(row.pooled.declared for row in strategies),
        "uneven": len(evidence) > 1,
        "axes": common_axes(strategies),
        "unavailable": unavailable(report),
        "notes": {name: _note(report, name) for name in EXPLAIN},
        "programs": _programs(report),
    }


def _badges(report: Report) -> list[tuple[str, str]]:
    """The verdict; only what was looked at is called sound."""
    count = dict.fromkeys(("error", "warning"), 0)
    for found in report.findings:
        if found.severity in count:
            count[found.severity] += 1
    badges = [(severity, counted(number, severity)) for severity, number in count.items() if number]
    if report.failed:
        return [("error", "not sound"), *badges]
    unchecked = any(found.code in _UNCHECKED for found in report.findings)
    if report.checkpoint.source == "embedded":
        return [("open", "no weights to judge"), *badges]
    if unchecked:
        return [("open", "not all was checked"), *badges]
    return [("fine", "sound"), *badges]


def _facts(report: Report) -> list[tuple[str, object]]:
    facts, sizes = report.checkpoint, report.checkpoint.dimensions
    parameters = None if facts.parameters is None else f"{facts.parameters / 1e6:.1f} M"
    named = {
        "family": facts.model_type,
        "layers": sizes["num_hidden_layers"],
        "hidden_size": sizes["hidden_size"],
        "heads": sizes["num_attention_heads"],
        "vocab_size": sizes["vocab_size"],
        "parameters": parameters,
        "dtype": facts.dtype,
        "weights": _WEIGHTS[facts.weights],
        "pooler": facts.pooler if facts.weights == "checkpoint" else None,
        "revision": facts.revision and facts.revision[:12],
    }
    return [(name, value) for name, value in named.items() if value is not None]


def _ran(report: Report) -> str:
    run = report.run
    return f"observed on {run.device}, {run.dtype}" if run.executed else "predicted: nothing was run"


def _note(report: Report, name: str) -> str:
    """What a newcomer needs, in plain text; empty where the report has no such part."""
    there = {"chain": bool(report.embedding), "tasks": bool(report.tasks), "layers": report.layers is not None}
    return EXPLAIN[name](report).plain if there.get(name, True) else ""


def _programs(report: Report) -> dict[str, Program]:
    """The programs, that of the declared vector first; those of other strategies are folded."""
    declared = declared_pooling(report)
    first = (declared[0] if declared else None, ENCODE, LAST_HIDDEN_STATE)
    programs = {}
    for number, (name, code) in enumerate(snippets(report).items()):
        about = "with sentence-transformers" if name == ENCODE else "with transformers"
        gives = name if name in (ENCODE, LAST_HIDDEN_STATE) else f"pooled: {name}"
        # A program keeps its line ends; Python's own notation has made the rest of its texts visible.
        programs[name] = Program(f"p{number}", gives, escape(code), about, first=name in first)
    return dict(sorted(programs.items(), key=lambda item: first.index(item[0]) if item[0] in first else len(first)))
