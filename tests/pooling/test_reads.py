"""Which tokens a strategy reads, in plain Python, against what its function takes from each token."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from bertshape.pooling.inputs import PoolingInputs
from bertshape.pooling.reads import Positions
from bertshape.pooling.shapes import select
from bertshape.pooling.strategies import STRATEGIES
from tests.support.checkpoints import build_checkpoint

JOINED = ("mean@-2", "mean@-4:concat", "lasttoken@1:3:sum", "cls+mean", "mean_unmasked+cls@0", "pooler+weightedmean")
LAYERS = 6

masks = some.lists(some.sampled_from((0, 1)), min_size=1, max_size=9)


@some.composite
def positions(draw: some.DrawFn) -> Positions:
    mask = draw(masks)
    special = [1 if not kept else draw(some.sampled_from((0, 1))) for kept in mask]
    word, index = -1, []
    for is_special in special:
        word += 1 if not is_special and (word < 0 or draw(some.booleans())) else 0
        index.append(-1 if is_special else word)
    return Positions(tuple(mask), tuple(special), tuple(index))


def observed(name: str, at: Positions) -> list[float]:
    """Weight of each token in what the function gives, relative to the largest; the largest of several vectors.

    Token number i is the i-th row of the identity matrix, so that the result holds the weights themselves.
    """
    length = len(at.attention_mask)
    # The smallest number of a feature is that of its own token only where all others are larger.
    tokens = (-1 if name == "min" else 1) * torch.eye(length).unsqueeze(0)
    inputs = PoolingInputs(
        last_hidden_state=tokens,
        attention_mask=torch.tensor([at.attention_mask]),
        special_tokens_mask=torch.tensor([at.special_tokens_mask]),
        word_index=torch.tensor([at.word_index]),
        num_words=max(at.word_index) + 1,
        hidden_states=(tokens,) * (LAYERS + 1),
        pooler_output=tokens[:, 0],
    )
    (strategy,) = select([name])
    vectors = strategy.function(inputs).abs().reshape(-1, length)
    largest = vectors.amax(dim=1, keepdim=True)
    relative = vectors / largest.masked_fill(largest == 0, 1)
    return relative.amax(dim=0).tolist() if len(relative) else [0.0] * length


@pytest.mark.parametrize("name", [*STRATEGIES, *JOINED])
@given(at=positions())
@settings(max_examples=60, deadline=None)
def test_weights_are_those_of_the_function(name: str, at: Positions) -> None:
    (strategy,) = select([name])
    assert list(strategy.reads(at)) == pytest.approx(observed(name, at), abs=1e-6)


def test_pooler_of_bert_reads_position_0(tmp_path: object) -> None:
    """The one strategy whose computation is the model's own."""
    from transformers import AutoModel

    folder = build_checkpoint("bert", tmp_path / "bert")  # type: ignore[operator]
    pooler = AutoModel.from_pretrained(folder).pooler
    hidden = torch.randn(1, 5, pooler.dense.in_features, requires_grad=True)
    pooler(hidden).sum().backward()
    assert hidden.grad is not None
    read = hidden.grad.abs().sum(dim=-1)[0] > 0
    at = Positions((0, 1, 1, 1, 1), (1, 1, 0, 0, 1), (-1, -1, 0, 1, -1))
    assert [bool(weight) for weight in STRATEGIES["pooler"].reads(at)] == read.tolist()
