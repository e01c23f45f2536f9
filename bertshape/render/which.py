"""How vectors were made, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.render.escape import visible
from bertshape.render.findings import finding_lines
from bertshape.render.tables import LABEL, UNICODE, Column, Grid, Signs, labelled
from bertshape.wording import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.which import Candidate, VectorRecipe, WhichReport

_COLUMNS = (
    Column("recipe", folds=24),
    Column("difference", right=True),
    Column("cosine", right=True),
    Column("", folds=20),
)


def render_which(report: WhichReport, columns: int, signs: Signs = UNICODE) -> RenderableType:
    """The answer, the nearest recipes, and what makes the same vectors."""
    rows = [
        (Text(recipe_text(row.recipe)), Text(f"{row.difference:.2g}"), Text(f"{row.cosine:.5f}"), _remark(report, row))
        for row in report.candidates
    ]
    of = f"{report.texts:,} of " if report.of != report.texts else ""
    of += f"{counted(report.of, 'vector')} of {report.dimension} numbers"
    lines: list[RenderableType] = [
        Text(_title(report), style="bold green" if report.ok else "bold red"),
        Text(
            f"{visible(report.path)}: {of}, by {visible(report.model)}; a difference of {report.tolerance:.2g} passes"
        ),
        Text(),
        Grid(_COLUMNS, rows).render(columns, signs),
    ]
    if report.lacks:
        lines += [Text(), *(labelled("lacks", visible(line), style="yellow") for line in report.lacks)]
    if not report.found:
        lines += [
            labelled(
                "worst",
                Text(f"line {row.line}, {counted(row.tokens, 'token')}: {row.difference:.2g}  ").append(
                    visible(row.text)
                ),
            )
            for row in report.worst
        ]
    lines += [Text(), *finding_lines(report.findings)] if report.findings else []
    if report.command is not None:
        # The terminal wraps it, so that it can be copied.
        use = Text(f"{'use':<{LABEL}} ", no_wrap=True, overflow="ignore").append(visible(report.command))
        lines += [Text(), use]
    elif report.found:
        missing = f"no options of embed make these ({without(report.candidates[0].recipe)})"
        instead = "this program does:" if report.python else "nor does a program of a few lines"
        lines += [Text(), labelled("use", f"{missing}; {instead}")]
    if report.python:
        program = (f"    {line}" for line in report.python.splitlines())
        lines += [Text(), *(Text(line, no_wrap=True, overflow="ignore") for line in program)]
    return Group(*lines)


def recipe_text(recipe: VectorRecipe) -> str:
    """A recipe on one line."""
    parts = [f"{recipe.pooling}, as declared" if recipe.declared_steps else recipe.pooling]
    parts += recipe.steps
    parts += ["normalised"] if recipe.normalize_whole else []
    parts += [f"first {counted(recipe.truncate_dim, 'number')}"] if recipe.truncate_dim else []
    parts += ["normalised"] if recipe.normalize else []
    parts += [f"prompt {str(visible(recipe.prompt))!r}"] if recipe.prompt else []
    parts += ["lower case"] if recipe.lower_case else []
    parts += [f"cut at {recipe.cut_to}"] if recipe.cut_to else []
    parts += [recipe.dtype] if recipe.dtype != "float32" else []
    return ", ".join(parts)


def without(recipe: VectorRecipe) -> str:
    """For which part of a recipe `embed` has no option."""
    parts = {
        f"the steps {' and '.join(recipe.steps)} after another pooling": bool(recipe.steps),
        "scaling to length 1": recipe.normalize or recipe.normalize_whole,
        "--truncate-dim with --pooling": recipe.truncate_dim is not None and not recipe.declared_steps,
        f"rounding to {recipe.dtype}": recipe.dtype != "float32",
    }
    return ", ".join(part for part, lacks in parts.items() if lacks) or "the case of letters"


def _title(report: WhichReport) -> str:
    best = report.candidates[0].recipe
    if not report.found:
        return f"No recipe makes these vectors; the nearest is {recipe_text(best)}"
    plain = "" if best.normalize or best.normalize_whole or best.declared_steps else ", not normalised"
    return f"Made by {recipe_text(best)}{plain}"


def _remark(report: WhichReport, row: Candidate) -> Text:
    if row is report.candidates[0]:
        return Text("found" if report.found else "nearest", style="green" if report.found else "yellow")
    return Text(row.same)
