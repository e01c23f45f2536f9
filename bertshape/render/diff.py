"""Two checkpoints for people: what differs in three columns, what is equal in one line."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bertshape.pipelines.diff import Change
from bertshape.render.drift import render_drift
from bertshape.render.escape import visible
from bertshape.render.tables import UNICODE, Column, Grid, Signs, labelled, title
from bertshape.wording import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.pipelines.diff import Comparison
    from bertshape.pipelines.diff_texts import TextComparison
    from bertshape.report.check import Scalar

_COLUMNS = (Column("field", folds=10), Column("A", folds=10), Column("B", folds=10))
_TENSOR_COLUMNS = (Column("tensor", folds=10), *_COLUMNS[1:])
_STEPS = "modules"
_SHOWN = 6
_EQUAL_SHOWN = 14
_UNCOMPARED = "have the same names and shapes; values not compared (--values)"


def render_comparison(comparison: Comparison, columns: int, signs: Signs = UNICODE) -> RenderableType:
    """What differs: meaning first, then tensors."""
    names = visible(comparison.before), visible(comparison.after)
    texts = [part for text in comparison.texts for part in _text(text, columns, signs)]
    texts += render_drift(comparison.drift, columns, signs) if comparison.drift else []
    if comparison.same:
        same = "hold the same values" if comparison.values_differing is not None else _UNCOMPARED
        tensors = f"; their tensors {same}" * _has_tensors(comparison)
        return Group(Text(f"{names[0]} and {names[1]} do not differ{tensors}"), *_verdicts(comparison), *texts)
    heads = [Text.assemble((letter, "bold"), "  ", name) for letter, name in zip("AB", names, strict=True)]
    rows = [_cells(change, signs) for change in _differing(comparison)]
    grid = [Text(), Grid(_COLUMNS, rows).render(columns, signs)] if rows else []
    if comparison.tensors and not comparison.lacking:
        equal = f"; {comparison.same_tensors} are equal" if comparison.same_tensors else ""
        table = Grid(_TENSOR_COLUMNS, [_cells(change, signs) for change in comparison.tensors])
        grid += [Text(), Text(f"Tensors that differ{equal}", style="bold"), table.render(columns, signs)]
    return Group(*heads, *grid, Text(), *_remarks(comparison), *texts)


def _differing(comparison: Comparison) -> list[Change]:
    """Facts that differ; not each step of a chain that only one side has, whose steps the row `modules` names."""
    changes = [change for change in comparison.scalars if change.differs]
    alone = any(change.name == _STEPS and None in (change.before, change.after) for change in changes)
    return [change for change in changes if not (alone and change.name.startswith(f"{_STEPS}."))]


def _text(compared: TextComparison, columns: int, signs: Signs) -> list[RenderableType]:
    """What both sides give for a text: numbers of tokens, the first that parts them, shapes, and the cosine."""
    before, after = compared.before, compared.after
    rows = [_cells(Change("tokens", len(before.input_ids), len(after.input_ids)), signs)]
    pairs = list(zip_longest(*(zip(side.tokens, side.input_ids, strict=True) for side in (before, after))))
    parting = next((index for index, (one, other) in enumerate(pairs) if one != other), None)
    if parting is not None:
        sides = (None if token is None else f"{token[0]} ({token[1]})" for token in pairs[parting])
        rows.append(_cells(Change(f"token {parting}", *sides), signs))
    for name in dict.fromkeys((*before.shapes, *after.shapes)):
        sides = (
            str(list(shapes[name])) if (shapes := side.shapes) and name in shapes else None for side in (before, after)
        )
        rows.append(_cells(Change(name, *sides), signs))
    ids = "equal" if parting is None else f"part at token {parting}"
    lines = [labelled("ids", ids, style="green" if parting is None else "yellow")]
    if compared.cosine is None:
        lines.append(labelled("cosine", f"none: {compared.reason}", style="yellow"))
    else:
        alike = "of the sentence embeddings, as encode() makes them"
        lines.append(labelled("cosine", f"{compared.cosine:.6f} {alike}", style="green" if compared.same else "yellow"))
    heading = title("Text", visible(compared.text))
    return [Text(), heading, Grid(_COLUMNS, rows).render(columns, signs), Text(), *lines]


def _verdicts(comparison: Comparison) -> list[RenderableType]:
    """Why a side is not sound: what it gives is then no ground to compare by."""
    lines: list[RenderableType] = []
    for letter, findings in zip("AB", comparison.findings, strict=True):
        errors = [finding for finding in findings if finding.severity == "error"]
        lines += [labelled(f"error {letter}", visible(row.message), style="bold red") for row in errors]
    return lines


def _remarks(comparison: Comparison) -> list[RenderableType]:
    lines = _verdicts(comparison)
    tokens = _tokenizer_line(comparison)
    if tokens:
        differs = comparison.tokens_differing or comparison.tokenizer_differs
        lines.append(labelled("tokens", tokens, style="yellow" if differs else "green"))
    if comparison.lacking is not None:
        lines.append(labelled("weights", comparison.lacking, style="yellow"))
    values = comparison.values_differing
    if values:
        shown = ", ".join(map(visible, values[:_SHOWN])) + f" and {len(values) - _SHOWN} more" * (len(values) > _SHOWN)
        lines.append(labelled("values", f"{shown} hold{'s' * (len(values) == 1)} other numbers", style="yellow"))
    elif values is None and _has_tensors(comparison):
        lines.append(labelled("values", f"equal tensors {_UNCOMPARED}"))
    elif values is not None:
        lines.append(labelled("values", "equal tensors hold the same values", style="green"))
    equal = [f"{change.name} {visible(str(change.before))}" for change in comparison.scalars if not change.differs]
    if equal:
        more = [f"{len(equal) - _EQUAL_SHOWN} more"] * (len(equal) > _EQUAL_SHOWN)
        lines.append(labelled("equal", ", ".join([*equal[:_EQUAL_SHOWN], *more]), style="green"))
    return lines


def _has_tensors(comparison: Comparison) -> bool:
    return comparison.same_tensors > 0


def _tokenizer_line(comparison: Comparison) -> str:
    parts = []
    differing = comparison.tokens_differing
    if differing is not None:
        parts.append(f"{counted(differing, 'token') if differing else 'no tokens'} differ{'s' * (differing == 1)}")
    if comparison.tokenizer_differs:
        # Equal tokens do not make equal tokenizers: one may lower letters, or cut elsewhere.
        parts.append("the tokenizer files differ")
    elif comparison.tokenizer_differs is False and not parts:
        parts.append("the tokenizer files are equal")
    return ", ".join(parts)


def _cells(change: Change, signs: Signs) -> tuple[Text, ...]:
    sides = (change.before, change.after)
    values = (Text(signs.dash, style="dim") if value is None else Text(_spaced(value)) for value in sides)
    return (Text(visible(change.name)), *values)


def _spaced(value: Scalar) -> str:
    """A value, with blanks where an object of many keys may be folded."""
    text = str(visible(str(value)))
    return text.replace(',"', ', "').replace('":', '": ') if text.startswith("{") else text
