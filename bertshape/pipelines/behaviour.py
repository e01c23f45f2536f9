"""How a model behaves: whether a text has the same vector alone, in a batch, and beside padding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError, UsageError
from bertshape.pipelines.batch import make_batch
from bertshape.pipelines.request import LengthOptions, Texts, Wanted
from bertshape.report.check import Outcome

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model
    from bertshape.run.agreement import Agreement
    from bertshape.run.runner import Runner
    from bertshape.tokens.batch import Row, Tokenization

_TOLERANCES = {"float16": 0.01, "bfloat16": 0.05}
"""Difference that passes, as a share of the tensor's largest number: twice what batches of other sizes do on MiniLM."""
_TOLERANCE = 0.0001
_BESIDE = {
    "deterministic": "in a second run",
    "batch_invariant": "in a batch of three",
    "padding_invariant": "padded beside a longer text",
}


def behave(name: str, model: Model, runner: Runner, text: str) -> Outcome:
    """Run a text twice, and compare.

    Args:
        name: One of `contract.expectations.BEHAVIOURS`.
        model: The model.
        runner: The same, loaded.
        text: The text.

    Raises:
        BertshapeError: The text cannot be used, or the run fails.
    """
    tolerance = _TOLERANCES.get(runner.dtype, _TOLERANCE)
    label = f"{name} to {tolerance:g} for {text!r}"
    alone = _tokens(model, (text,))
    try:
        beside = {"deterministic": alone, "batch_invariant": _in_batch(alone)}.get(name) or _padded(model, text)
    except CheckpointError as error:  # The tokenizer has no padding token.
        return Outcome(label, (f"{name}: {error.message}",))
    rows = runner.agreement(alone, beside)
    apart = [row for row in rows if not row.difference <= tolerance * row.largest]  # NaN agrees with nothing.
    return Outcome(label, (_problem(name, apart),) if apart else ())


def _problem(name: str, apart: list[Agreement]) -> str:
    first, last = apart[0], apart[-1]
    by = [f"{row.name} by {row.difference / (row.largest or 1e-12):.2g}" for row in (first, last)]
    ends = f", at the end {by[1]}" if last is not first else ""
    return f"{name}: alone and {_BESIDE[name]}, the text's tensors differ: first {by[0]} of its largest number{ends}"


def _tokens(model: Model, texts: tuple[str, ...]) -> Tokenization:
    return make_batch(model, Texts(texts), LengthOptions(), Wanted(), "auto").tokenization


def _in_batch(alone: Tokenization) -> Tokenization:
    """The text and two of the same length, so that nothing is padded."""
    row = alone.rows[0]
    return replace(alone, rows=(row, _turned(row, 1), _turned(row, 2)))


def _turned(row: Row, by: int) -> Row:
    """A row with its content tokens in another order."""
    places = [token.position for token in row.tokens if not token.special]
    moved = dict(zip(places, [*places[by:], *places[:by]], strict=True))
    tokens = [replace(token, input_id=row.tokens[moved.get(at, at)].input_id) for at, token in enumerate(row.tokens)]
    return replace(row, tokens=tuple(tokens))


def _padded(model: Model, text: str) -> Tokenization:
    """The text and a longer one."""
    try:
        return _tokens(model, (text, f"{text} {text}"))
    except UsageError as error:
        raise UsageError(
            f"a text of half the length that the model takes is needed beside a longer one: {error.message}",
            hint="Pass a shorter --text.",
            code="text-too-long",
        ) from error
