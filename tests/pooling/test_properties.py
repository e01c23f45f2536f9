"""What must hold of pooling whatever the batch: padding does not count, nothing is NaN, shapes are as predicted."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bertshape.pooling.shapes import Unavailable, predict_shape, select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.shapes import TensorShape
from bertshape.wording import counted
from tests.pooling.test_functions import KINDS, batches, build, check_predicted_shapes, facts, few, padded
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs

LAYERS_NEEDED = {"first_last_avg": 1, "second_to_last": 2, "last4_mean": 4, "last4_sum": 4, "last4_concat": 4}
UNMASKED = ("pooler", "mean_unmasked", "tokens")
VECTORS = tuple(name for name in STRATEGIES if name not in ("tokens", "words", "words_first"))

combinations = st.lists(st.sampled_from(VECTORS), min_size=2, max_size=4).map("+".join)


def fill(inputs: PoolingInputs, where: Tensor, value: float) -> PoolingInputs:
    """The same batch with other numbers at some positions."""
    layers = tuple(layer.masked_fill(where.unsqueeze(-1), value) for layer in inputs.hidden_states)
    return replace(inputs, last_hidden_state=layers[-1], hidden_states=layers)


@given(inputs=padded, poison=st.sampled_from([float("nan"), float("inf"), -1e4]))
@few
def test_contents_of_padding_do_not_count(inputs: PoolingInputs, poison: float) -> None:
    """Not even NaN gets through; mean_unmasked shows that the poison is there."""
    outside = inputs.attention_mask == 0
    poisoned = fill(inputs, outside, poison)
    for name, strategy in STRATEGIES.items():
        if name not in UNMASKED:
            assert torch.equal(strategy.function(poisoned), strategy.function(inputs)), name
    unmasked = STRATEGIES["mean_unmasked"].function
    assert torch.equal(unmasked(poisoned), unmasked(inputs)) != bool(outside.any())


@given(inputs=padded)
@few
def test_special_tokens_do_not_count_where_content_is_meant(inputs: PoolingInputs) -> None:
    poisoned = fill(inputs, inputs.special_tokens_mask == 1, float("nan"))
    for name in ("mean_no_special", "words", "words_first"):
        function = STRATEGIES[name].function
        assert torch.equal(function(poisoned), function(inputs)), name
    assert STRATEGIES["mean"].function(poisoned).isnan().all()


@given(inputs=padded)
@few
def test_no_special_means_attended_too(inputs: PoolingInputs) -> None:
    """Padding that no mask calls special is still kept out."""
    nothing_special = replace(inputs, special_tokens_mask=torch.zeros_like(inputs.special_tokens_mask))
    poisoned = fill(nothing_special, inputs.attention_mask == 0, float("nan"))
    assert torch.equal(STRATEGIES["mean_no_special"].function(poisoned), STRATEGIES["mean"].function(inputs))


@given(inputs=padded, left=st.integers(0, 3), right=st.integers(1, 3))
@few
def test_more_padding_changes_nothing_but_the_unmasked(inputs: PoolingInputs, left: int, right: int) -> None:
    def grow(tensor: Tensor, value: float) -> Tensor:
        return torch.nn.functional.pad(tensor, (*(0, 0) * (tensor.ndim - 2), left, right), value=value)

    grown = replace(
        inputs,
        last_hidden_state=grow(inputs.last_hidden_state, 1000),
        attention_mask=grow(inputs.attention_mask, 0),
        special_tokens_mask=grow(inputs.special_tokens_mask, 1),
        word_index=grow(inputs.word_index, -1),
        hidden_states=tuple(grow(layer, 1000) for layer in inputs.hidden_states),
    )
    for name, strategy in STRATEGIES.items():
        if name not in UNMASKED:
            torch.testing.assert_close(strategy.function(grown), strategy.function(inputs))
    unmasked = STRATEGIES["mean_unmasked"].function
    assert (unmasked(grown) > unmasked(inputs)).all()


@given(inputs=batches("random"), all_special=st.booleans())
@few
def test_rows_without_tokens_give_zeros(inputs: PoolingInputs, all_special: bool) -> None:
    """No NaN, no inf, whatever the mask."""
    if all_special:
        none = torch.full_like(inputs.word_index, -1)
        inputs = replace(inputs, special_tokens_mask=torch.ones_like(none), word_index=none, num_words=0)
        assert not STRATEGIES["mean_no_special"].function(inputs).any()
    empty = inputs.attention_mask.sum(dim=1) == 0
    for name, strategy in STRATEGIES.items():
        vector = strategy.function(inputs)
        assert vector.isfinite().all(), name
        # cls falls back to position 0, as in sentence-transformers.
        assert name in ("cls", *UNMASKED) or not vector[empty].any(), name


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"last4_sum", "mean_sqrt_len_tokens", "pooler"}))
def test_large_half_precision_numbers_do_not_overflow_on_the_way(name: str) -> None:
    """Two float16 of 40000 have no float16 sum, and their mean is 40000."""
    inputs = build([[1] * 9], 2, 0, torch.float16)
    vector = STRATEGIES[name].function(fill(inputs, inputs.attention_mask == 1, 40000))
    assert (vector == 40000).all()


def test_padding_is_no_bound_to_extremes() -> None:
    """Padding is filled with infinities, not with some number that real ones can pass."""
    inputs = build([[1, 1, 0], [0, 1, 1]], 2, 0, torch.float16)
    inside = inputs.attention_mask == 1
    assert (STRATEGIES["max"].function(fill(inputs, inside, -40000)) == -40000).all()
    assert (STRATEGIES["min"].function(fill(inputs, inside, 40000)) == 40000).all()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), combination=combinations)
@few
def test_predicted_shape_is_the_shape(kind: str, data: st.DataObject, combination: str) -> None:
    check_predicted_shapes(data.draw(batches(kind)), combination)


@given(inputs=padded, combination=combinations)
@few
def test_combination_joins_in_the_order_given(inputs: PoolingInputs, combination: str) -> None:
    parts = [STRATEGIES[name] for name in combination.split("+")]
    (joined,) = select([combination])
    factor = sum(part.factor for part in parts)
    assert (joined.name, joined.factor) == (combination, factor)
    assert joined.formula == f"[{combination.replace('+', ', ')}]"
    assert joined.axes == ("batch_size", f"{factor}*hidden_size")
    assert torch.equal(joined.function(inputs), torch.cat([part.function(inputs) for part in parts], dim=-1))


@pytest.mark.parametrize("name", [*STRATEGIES, "cls+last4_concat+second_to_last"])
def test_layers_needed(name: str) -> None:
    """With just enough layers the embeddings are not taken for one; with one less the strategy is refused."""
    (strategy,) = select([name])
    assert strategy.layers_needed == max(LAYERS_NEEDED.get(part, 0) for part in name.split("+"))
    inputs = build([[1, 1, 1]], 2, 0, torch.float32, layers=max(strategy.layers_needed, 1))
    embeddings, *layers = inputs.hidden_states
    inputs = replace(inputs, hidden_states=(embeddings * float("nan"), *layers))
    assert strategy.function(inputs).isfinite().all()
    assert isinstance(predict_shape(strategy, facts(inputs)), TensorShape)
    if strategy.layers_needed:
        fewer = predict_shape(strategy, replace(facts(inputs), num_hidden_layers=strategy.layers_needed - 1))
        needed = strategy.layers_needed
        assert fewer == Unavailable(f"needs {counted(needed, 'layer')}, the model has {needed - 1}")


@pytest.mark.parametrize("name", [*STRATEGIES, "mean+pooler", "cls+mean"])
def test_unavailable_outputs_give_a_reason(name: str) -> None:
    (strategy,) = select([name])
    known = facts(build([[1, 1, 1]], 2, 0, torch.float32))
    no_pooler = predict_shape(strategy, replace(known, has_pooler=False))
    assert (no_pooler == Unavailable("the model has no pooler")) == ("pooler" in name)
    pooler_only = predict_shape(strategy, replace(known, has_last_hidden_state=False))
    assert (pooler_only == Unavailable("the model gives no last_hidden_state")) == (name != "pooler")


@pytest.mark.parametrize(
    ("before", "expected"), [("", 0), ("import torch; ", 1)], ids=["pooling", "the check can fail"]
)
def test_importing_pooling_imports_no_torch(before: str, expected: int) -> None:
    code = f"{before}import sys, bertshape.pooling; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=SECONDS).returncode == expected
