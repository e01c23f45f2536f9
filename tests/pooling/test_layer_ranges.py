"""Layers chosen with `@`: what is computed, and the shape or the reason said beforehand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bertshape import inspect_texts
from bertshape.errors import UsageError
from bertshape.pooling.layer_ranges import JOINS, Layers
from bertshape.pooling.notation import Term
from bertshape.pooling.shapes import Unavailable, predict_shape, select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.shapes import TensorShape
from tests.pooling.test_functions import (
    HALVES,
    LOOPS,
    SENTENCE_TRANSFORMERS,
    Row,
    batches,
    build,
    facts,
    few,
    padded,
    reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs

CHOOSING = (
    "cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "min", "mean_unmasked",
    "mean_no_special", "mean_max", "tokens", "words", "words_first",
)  # fmt: skip
"""Strategies that take layers."""
SEVERAL = ("tokens", "words", "words_first")
NAMED = {
    "second_to_last": "mean@-2",
    "last4_mean": "mean@-4:",
    "last4_sum": "mean@-4:sum",
    "last4_concat": "mean@-4:concat",
}

ends = st.none() | st.integers(-8, 8)
choices = st.one_of(
    st.integers(-8, 8).map(Layers),
    st.builds(Layers, ends, ends, st.sampled_from(JOINS)).filter(lambda layers: not layers.never_any),
)
terms = st.builds(Term, st.sampled_from(CHOOSING), st.none() | choices)


def written(name: str, index: int | None, first: int | None, last: int | None, join: str | None) -> str:
    """A term with layers, put together without the code under test."""
    if index is not None:
        return f"{name}@{index}"
    both = ":".join("" if end is None else str(end) for end in (first, last))
    return f"{name}@{both}" + (f":{join}" if join else "")


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - set(CHOOSING)))
@pytest.mark.parametrize("layers", ["-1", "0", "-4:concat"])
def test_strategies_with_layers_of_their_own_take_no_others(name: str, layers: str) -> None:
    with pytest.raises(UsageError, match=f"asks for layers of {name}") as caught:
        select([f"cls+{name}@{layers}"])
    assert caught.value.code == "pooling-invalid"
    assert NAMED.get(name, "@") in caught.value.hint


def test_strategies_that_take_layers_read_nothing_but_the_last_hidden_state() -> None:
    """Those that can be computed without hidden_states and pooler_output, and no others, may be moved to a layer."""
    inputs = replace(build([[1, 1, 1, 0]], 2, 0, torch.float32), hidden_states=(), pooler_output=None)
    able = set()
    for name, strategy in STRATEGIES.items():
        try:
            strategy.function(inputs)
        except (AssertionError, IndexError, ValueError):
            continue
        able.add(name)
    assert able == set(CHOOSING)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mean@20", "needs layer 20, the model has 5 layers"),
        ("mean@6", "needs layer 6, the model has 5 layers"),
        ("mean@-7", "needs layer -7, the model has 5 layers"),
        ("cls+mean@6", "needs layer 6, the model has 5 layers"),
        ("mean@-7:", "layers -7: reach beyond the model's hidden_states 0 to 5"),
        ("mean@-7:sum", "layers -7: reach beyond the model's hidden_states 0 to 5"),
        ("mean@4:7", "layers 4:7 reach beyond the model's hidden_states 0 to 5"),
        ("mean@-9:-7", "layers -9:-7 reach beyond the model's hidden_states 0 to 5"),
        ("mean@6:", "layers 6: are none of the model's hidden_states 0 to 5"),
        ("mean@3:-3:concat", "layers 3:-3 are none of the model's hidden_states 0 to 5"),
        ("mean@-2:3", "layers -2:3 are none of the model's hidden_states 0 to 5"),
    ],
)
def test_layers_that_the_model_lacks_give_a_reason(name: str, reason: str) -> None:
    """Python would shorten the slice without a word."""
    inputs = build([[1, 1]], 2, 0, torch.float32, layers=5)
    (strategy,) = select([name])
    assert predict_shape(strategy, facts(inputs)) == Unavailable(reason)
    with pytest.raises(IndexError):
        strategy.function(inputs)


@pytest.mark.parametrize(
    "name", ["mean@5", "mean@-6", "mean@-6:", "mean@4:6", "mean@:", "mean@2:-3:concat", "tokens@0"]
)
def test_the_outermost_layers_are_there(name: str) -> None:
    inputs = build([[1, 1]], 2, 0, torch.float32, layers=5)
    (strategy,) = select([name])
    shape = predict_shape(strategy, facts(inputs))
    assert isinstance(shape, TensorShape)
    assert shape.sizes == tuple(strategy.function(inputs).shape)


def test_no_last_hidden_state_comes_before_any_layer() -> None:
    known = facts(build([[1, 1]], 2, 0, torch.float32))
    (strategy,) = select(["mean@0"])
    missing = predict_shape(strategy, replace(known, has_last_hidden_state=False))
    assert missing == Unavailable("the model gives no last_hidden_state")


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        *((name, name.startswith(("first_last", "last4", "second"))) for name in STRATEGIES),
        ("mean@-1", False), ("mean@-1:concat", False), ("mean@-2", True), ("mean@0", True), ("mean@5", True),
        ("mean@-1+cls", False), ("mean@-1+cls@0", True), ("cls+last4_sum", True), ("cls+mean", False),
    ],
)  # fmt: skip
def test_uneven_hidden_states_leave_the_last_layer(name: str, needs: bool) -> None:
    """Layer 5 may be the last of five, yet of how many hidden_states is not known."""
    (strategy,) = select([name])
    uneven = replace(facts(build([[1, 1]], 2, 0, torch.float32, layers=5)), even_hidden_states=False)
    shape = predict_shape(strategy, uneven)
    assert strategy.needs_hidden_states == needs
    assert (shape == Unavailable("the layers' shapes are only known by running")) == needs
    assert isinstance(shape, TensorShape) != needs


@given(data=st.data())
@few
def test_predicted_shape_is_the_shape_for_any_choice(data: st.DataObject) -> None:
    inputs = data.draw(batches("right padding", layers=data.draw(st.integers(1, 7))))
    term = data.draw(terms)
    check_shape(str(term), inputs)
    vectors = data.draw(st.lists(terms.filter(lambda term: term.name not in SEVERAL), min_size=2, max_size=3))
    check_shape("+".join(map(str, vectors)), inputs)


def check_shape(name: str, inputs: PoolingInputs) -> None:
    """Either a shape, which is the vector's own, or a reason, and then there is no vector."""
    (strategy,) = select([name])
    shape = predict_shape(strategy, facts(inputs))
    if isinstance(shape, Unavailable):
        with pytest.raises(IndexError):
            strategy.function(inputs)
        return
    vector = strategy.function(inputs)
    assert shape.sizes == tuple(vector.shape)
    assert shape.dtype == str(vector.dtype).removeprefix("torch.")
    # The axis as it is named for any model, worked out for this one.
    expression, _, axis = strategy.axes[-1].rpartition("*")
    assert axis == "hidden_size"
    layers, hidden_size = len(inputs.hidden_states) - 1, inputs.last_hidden_state.shape[-1]
    factor = eval(re.sub(r"(\d)L", r"\1*L", expression or "1"), {"L": layers})
    assert factor * hidden_size == shape.sizes[-1]
    assert shape.axes == (*strategy.axes[:-1], "hidden_size" if factor == 1 else f"{factor}*hidden_size")


def loops(name: str, inputs: PoolingInputs, indices: list[int], join: str | None) -> Tensor:
    """Layer after layer in plain floats; only the join, over lists of numbers, is done here."""
    layers = []
    for index in indices:
        moved = replace(inputs, last_hidden_state=inputs.hidden_states[index])
        rows = [LOOPS[name](Row(moved, row)) for row in range(len(inputs.attention_mask))]
        layers.append(torch.tensor(rows, dtype=torch.float64).reshape(len(rows), -1, moved.last_hidden_state.shape[-1]))
    factor = STRATEGIES[name].factor
    if name not in SEVERAL:
        layers = [layer.reshape(len(layer), -1) for layer in layers]
        assert layers[0].shape[-1] == factor * inputs.last_hidden_state.shape[-1]
    if join == "concat":
        return torch.cat(layers, dim=-1)
    total = torch.stack(layers).sum(dim=0)
    return total / len(layers) if join in (None, "mean") else total


@pytest.mark.parametrize("name", CHOOSING)
@given(data=st.data())
@few
def test_equals_plain_loops_over_layers(name: str, data: st.DataObject) -> None:
    """Python's own slices of a list of layers, in double, single and half precision."""
    inputs = data.draw(batches("left padding", (torch.float64, torch.float32, *HALVES), data.draw(st.integers(1, 6))))
    count = len(inputs.hidden_states)
    if data.draw(st.booleans()):
        index = data.draw(st.integers(-count, count - 1))
        first = last = join = None
        indices = [list(range(count))[index]]
    else:
        index = None
        begin = data.draw(st.integers(0, count - 1))
        end = data.draw(st.integers(begin + 1, count))
        first = data.draw(st.sampled_from([begin, begin - count, *([None] if begin == 0 else [])]))
        last = data.draw(st.sampled_from([*([end - count] if end < count else [None]), end]))
        join = data.draw(st.sampled_from([*JOINS, None]))
        indices = list(range(count))[first:last]
        assert indices == list(range(begin, end))
    (strategy,) = select([written(name, index, first, last, join)])
    vector = strategy.function(inputs)
    dtype = inputs.last_hidden_state.dtype
    assert vector.dtype == dtype
    torch.testing.assert_close(vector, loops(name, inputs, indices, join).to(dtype))


@pytest.mark.parametrize("mode", SENTENCE_TRANSFORMERS)
@given(inputs=padded, index=st.integers(-6, 5))
@few
def test_equals_sentence_transformers_on_the_same_layer(mode: str, inputs: PoolingInputs, index: int) -> None:
    (strategy,) = select([f"{mode}@{index}"])
    expected = reference(mode, inputs.hidden_states[index], inputs.attention_mask)
    torch.testing.assert_close(strategy.function(inputs), expected)


@pytest.mark.parametrize("family", ["bert", "roberta", "albert"])
def test_a_real_run_observes_what_was_predicted(family: str, tiny: Callable[[str], Path]) -> None:
    names = ["mean@-2", "mean@0", "mean@:concat", "words@1:3:sum", "words_first", "cls+max@-4:concat"]
    texts = ["Unbelievably long words", "padding must not take part"]
    predicted = inspect_texts(texts, weights="none", model=str(tiny(family)), pooling=names)
    run = inspect_texts(texts, model=str(tiny(family)), pooling=names)
    assert [pooled.evidence for pooled in run.pooled.values()] == ["observed"] * 6
    assert {name: pooled.shape for name, pooled in run.pooled.items()} == {
        name: pooled.shape for name, pooled in predicted.pooled.items()
    }
    with pytest.raises(UsageError, match="mean@9: needs layer 9, the model has 5 layers"):
        inspect_texts(texts, weights="none", model=str(tiny(family)), pooling="mean@9")
    assert not run.failed


@pytest.mark.parametrize(("name", "layers"), NAMED.items())
@given(inputs=padded)
@few
def test_named_strategies_are_choices_of_layers(name: str, layers: str, inputs: PoolingInputs) -> None:
    old, new = select([name, layers])
    torch.testing.assert_close(new.function(inputs), old.function(inputs))
    assert predict_shape(new, facts(inputs)) == predict_shape(old, facts(inputs))
    assert new.axes == old.axes
    assert predict_shape(new, replace(facts(inputs), even_hidden_states=False)) == predict_shape(
        old, replace(facts(inputs), even_hidden_states=False)
    )


@pytest.mark.parametrize(("name", "layers"), NAMED.items())
def test_a_chosen_index_reaches_the_embeddings_and_a_name_does_not(name: str, layers: str) -> None:
    """One layer less than the name needs, and hidden_states are still enough, with the embeddings for a layer."""
    old, new = select([name, layers])
    known = facts(build([[1, 1]], 2, 0, torch.float32))
    for count in range(8):
        shapes = [predict_shape(strategy, replace(known, num_hidden_layers=count)) for strategy in (old, new)]
        there = [isinstance(shape, TensorShape) for shape in shapes]
        assert there == [count >= old.layers_needed, count >= old.layers_needed - 1]


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_half_precision_is_joined_in_float32(dtype: torch.dtype) -> None:
    """Four layers of 40000 have no float16 sum, and their mean is 40000; 257 layers' mean is lost by bfloat16 sums."""
    inputs = build([[1] * 3], 2, 0, dtype, layers=256)
    inputs = replace(inputs, hidden_states=tuple(torch.full_like(h, 40000) for h in inputs.hidden_states))
    for name in ("mean@-4:", "cls@:", "max@1:mean", "words@:"):
        (strategy,) = select([name])
        vector = strategy.function(inputs)
        assert vector.dtype == dtype
        assert (vector == torch.tensor(40000, dtype=dtype)).all(), name


@given(inputs=padded)
@few
def test_padding_of_other_layers_does_not_count_either(inputs: PoolingInputs) -> None:
    outside = (inputs.attention_mask == 0).unsqueeze(-1)
    poisoned = replace(inputs, hidden_states=tuple(h.masked_fill(outside, float("nan")) for h in inputs.hidden_states))
    for name in CHOOSING:
        if name not in ("mean_unmasked", "tokens"):
            (strategy,) = select([f"{name}@:concat"])
            assert torch.equal(strategy.function(poisoned), strategy.function(inputs)), name


@given(inputs=padded)
@few
def test_joined_terms_stand_in_the_order_given(inputs: PoolingInputs) -> None:
    names = ["max@0", "mean", "cls@-2:concat", "mean@-2", "last4_sum"]
    whole, *parts = select(["+".join(names), *names])
    assert torch.equal(whole.function(inputs), torch.cat([part.function(inputs) for part in parts], dim=-1))
    assert whole.axes[-1] == "6*hidden_size"
