"""The notation of strategies: what is read, what is refused, and the formula and axis that are shown for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bertshape.errors import ExitCode, UsageError
from bertshape.pooling.layer_ranges import Layers
from bertshape.pooling.notation import GRAMMAR, Term, parse
from bertshape.pooling.shapes import select
from tests.pooling.test_layer_ranges import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean", Term("mean")),
        ("mean@-2", Term("mean", Layers(-2))),
        ("mean@0", Term("mean", Layers(0))),
        ("mean@-4:", Term("mean", Layers(-4, None, "mean"))),
        ("mean@-4:concat", Term("mean", Layers(-4, None, "concat"))),
        ("mean@-4::concat", Term("mean", Layers(-4, None, "concat"))),
        ("mean@1:3:sum", Term("mean", Layers(1, 3, "sum"))),
        ("mean@1:5", Term("mean", Layers(1, 5, "mean"))),
        ("mean@:", Term("mean", Layers(None, None, "mean"))),
        ("mean@:sum", Term("mean", Layers(None, None, "sum"))),
        ("max@:-1:concat", Term("max", Layers(None, -1, "concat"))),
        ("max@:-1:mean", Term("max", Layers(None, -1, "mean"))),
    ],
)
def test_each_form_of_a_term_is_read(text: str, expected: Term) -> None:
    assert parse(text) == (expected,)
    assert parse(f"cls+{text}") == (Term("cls"), expected)


@given(chosen=st.lists(terms, min_size=1, max_size=4))
def test_written_terms_read_back_the_same(chosen: list[Term]) -> None:
    assert parse("+".join(map(str, chosen))) == tuple(chosen)


@given(text=st.text(max_size=30) | st.text("mean+max@:-0123489concatsum ", max_size=24))
@example("mean@" + "9" * 5000)
@example("mean@\u0663")
@example("mean@\u00b2:")
@example("\ud800@1")
def test_any_text_is_read_or_refused_with_the_grammar(text: str) -> None:
    """Never another exception; and what is read can be written and read again."""
    refusal, chosen = None, None
    try:
        chosen = parse(text)
    except UsageError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code == "pooling-invalid"
        assert GRAMMAR in refusal.hint
        assert len(refusal.message.splitlines()) == 1
        assert len(refusal.message) < 300
        return
    assert chosen is not None
    assert parse("+".join(map(str, chosen))) == chosen
    assert all(term.name and not re.search(r"[\s@:+]", term.name) for term in chosen)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("mean@", "nothing after @"),
        ("mean@x", "'x' after @"),
        ("mean@-", "'-' after @"),
        ("mean@-0", "'-0' after @"),
        ("mean@007", "'007' after @"),
        ("mean@1.5", "'1.5' after @"),
        ("mean@1@2", "'1@2' after @"),
        ("mean@1:2:3", "has 3 numbers after @"),
        ("mean@1:2:3:sum", "has 3 numbers after @"),
        ("mean@::", "has 3 numbers after @"),
        ("mean@4:2", "4:2 is empty in every model"),
        ("mean@2:2:sum", "2:2 is empty in every model"),
        ("mean@:0", ":0 is empty in every model"),
        ("mean@-3:0", "-3:0 is empty in every model"),
        ("mean@-1:-4:concat", "-1:-4 is empty in every model"),
        ("mean@sum", "no layers to sum"),
        ("mean@-4:avg", "'avg': layers are joined by concat, sum or mean"),
        ("mean@-4:CONCAT", "'CONCAT': layers are joined by concat, sum or mean"),
        ("mean:2", "colon in the name 'mean:2'"),
        ("@2", "no name before @"),
        ("+mean", "nothing in part 1"),
        ("mean+", "nothing in part 2"),
        ("mean++max", "nothing in part 2"),
        ("cls+mean@x+max", "'x' after @ in part 2"),
        ("cls+max+@2", "no name before @ in part 3"),
        (" mean", "blank"),
        ("mean @-2", "blank"),
        ("mean +max", "blank"),
        ("mean@-4: concat", "blank"),
        ("mean\n", "blank"),
    ],
)
def test_nonsense_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(["mean", text])
    assert (caught.value.code, caught.value.exit_code) == ("pooling-invalid", ExitCode.USAGE)
    assert problem in caught.value.message
    assert GRAMMAR in caught.value.hint


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("mean@-2", "mean(h_L-1)"),
        ("mean@-1", "mean(h_L)"),
        ("cls@0", "cls(h_0)"),
        ("tokens@3", "h_3"),
        ("mean@-1:", "mean(h_L)"),
        ("mean@-4:concat", "[mean(h_L-3), ..., mean(h_L)]"),
        ("mean@-4:sum", "mean(h_L-3) + ... + mean(h_L)"),
        ("mean@-4:", "(mean(h_L-3) + ... + mean(h_L)) / 4"),
        ("mean@1:3", "(mean(h_1) + mean(h_2)) / 2"),
        ("max@1:concat", "[max(h_1), ..., max(h_L)]"),
        ("max@1:", "(max(h_1) + ... + max(h_L)) / L"),
        ("cls@:", "(cls(h_0) + ... + cls(h_L)) / (L+1)"),
        ("cls@1:-2", "avg cls(h_i), i=1..L-2"),
        ("tokens@-2:concat", "[h_L-1, h_L]"),
        ("mean_sqrt_len_tokens@-4:concat", "[mean_sqrt_len_tokens(h_i), i=L-3..L]"),
        ("mean_sqrt_len_tokens@-4:sum", "sum mean_sqrt_len_tokens(h_i), i=L-3..L"),
        ("cls+mean@-2", "[cls, mean(h_L-1)]"),
        ("mean_sqrt_len_tokens@-2+mean_no_special@0", "[mean_sqrt_len_tokens@-2, mean_no_special@0]"),
    ],
)
def test_formula_says_the_layers(name: str, formula: str) -> None:
    (strategy,) = select([name])
    assert (strategy.name, strategy.formula) == (name, formula)


@given(term=terms)
def test_every_formula_fits_its_column(term: Term) -> None:
    (strategy,) = select([str(term)])
    assert strategy.formula.isascii()
    assert "|" not in strategy.formula
    assert len(strategy.formula) <= 40, strategy.formula


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("mean@:concat", "(L+1)*hidden_size"),
        ("mean@1:concat", "L*hidden_size"),
        ("mean@1:-1:concat", "(L-1)*hidden_size"),
        ("mean_max@1:concat", "2L*hidden_size"),
        ("mean@-4:12:concat", "(15-L)*hidden_size"),
        ("cls+mean@:concat", "(L+2)*hidden_size"),
        ("mean@:", "hidden_size"),
    ],
)
def test_axis_of_all_layers_is_named_for_any_model(name: str, axis: str) -> None:
    (strategy,) = select([name])
    assert strategy.axes[-1] == axis


def test_strategies_keep_the_name_they_were_asked_for() -> None:
    assert [strategy.name for strategy in select(["mean@-4::concat", "mean@-4:concat", "mean@-4:mean"])] == [
        "mean@-4::concat", "mean@-4:concat", "mean@-4:mean",
    ]  # fmt: skip
