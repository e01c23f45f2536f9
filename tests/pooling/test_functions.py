"""Pooling: against sentence-transformers where it has the strategy, against plain loops for all; choosing by name."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import AutoModel, AutoTokenizer

from bertshape.errors import ExitCode, UsageError
from bertshape.pooling.inputs import PoolingInputs
from bertshape.pooling.shapes import PoolingFacts, predict_shape, select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.shapes import TensorShape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

SENTENCE_TRANSFORMERS = ("cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
OURS = (
    "pooler", "min", "mean_unmasked", "mean_no_special", "mean_max", "first_last_avg", "last4_mean", "last4_sum",
    "last4_concat", "second_to_last", "tokens", "words", "words_first",
)  # fmt: skip
COUNTS = dict.fromkeys(("attended", "content", "padding", "positions", "words"), "100-128")
KINDS = ("right padding", "left padding", "no padding", "one token", "random")
HALVES = (torch.float16, torch.bfloat16)

few = settings(max_examples=25, deadline=None)


def build(mask: list[list[int]], hidden_size: int, seed: int, dtype: torch.dtype, layers: int = 5) -> PoolingInputs:
    """A batch as a model gives it: numbers in padding too; the outermost attended tokens are special."""
    generator, dice = torch.Generator().manual_seed(seed), random.Random(seed)
    shape = (len(mask), len(mask[0]), hidden_size)
    hidden_states = tuple(torch.randn(shape, generator=generator).to(dtype) * 3 for _ in range(layers + 1))
    special, words = [], []
    for row in mask:
        attended = [position for position, bit in enumerate(row) if bit]
        content = attended[1:-1]
        special.append([int(position not in content) for position in range(len(row))])
        word, indices = -1, [-1] * len(row)
        for position in content:
            word += int(word < 0 or dice.random() < 0.6)
            indices[position] = word
        words.append(indices)
    return PoolingInputs(
        last_hidden_state=hidden_states[-1],
        attention_mask=torch.tensor(mask),
        special_tokens_mask=torch.tensor(special),
        word_index=torch.tensor(words),
        num_words=max(map(max, words)) + 1,
        hidden_states=hidden_states,
        pooler_output=hidden_states[-1][:, 0].tanh(),
    )


@st.composite
def batches(
    draw: st.DrawFn, kind: str, dtypes: Sequence[torch.dtype] = (torch.float32, *HALVES), layers: int = 5
) -> PoolingInputs:
    """Batches of every kind; `random` has holes, and rows without any attended token."""
    length = draw(st.integers(1, 12))
    rows = range(draw(st.integers(1, 4)))
    if kind == "random":
        mask = [draw(st.lists(st.integers(0, 1), min_size=length, max_size=length)) for _ in rows]
    else:
        fewest, most = {"no padding": (length, length), "one token": (1, 1)}.get(kind, (1, length))
        kept = [draw(st.integers(fewest, most)) for _ in rows]
        left = kind == "left padding" or (kind == "one token" and draw(st.booleans()))
        mask = [[0] * (length - n) + [1] * n if left else [1] * n + [0] * (length - n) for n in kept]
    seed = draw(st.integers(0, 2**31))
    return build(mask, draw(st.integers(1, 5)), seed, draw(st.sampled_from(dtypes)), layers)


padded = st.sampled_from(KINDS[:4]).flatmap(batches)
"""At least one attended token in every row."""


def facts(inputs: PoolingInputs) -> PoolingFacts:
    batch_size, sequence_length, hidden_size = inputs.last_hidden_state.shape
    return PoolingFacts(
        batch_size=batch_size,
        sequence_length=sequence_length,
        num_words=inputs.num_words,
        hidden_size=hidden_size,
        num_hidden_layers=len(inputs.hidden_states) - 1,
        has_pooler=inputs.pooler_output is not None,
        dtype=(dtype := str(inputs.last_hidden_state.dtype).removeprefix("torch.")),
        dtype_of_layers=dtype,
    )


def reference(mode: str, hidden: Tensor, mask: Tensor) -> Tensor:
    """What sentence-transformers gives; its -inf for the largest of nothing is our 0."""
    features = {"token_embeddings": hidden, "attention_mask": mask}
    vector: Tensor = Pooling(hidden.shape[-1], pooling_mode=mode)(features)["sentence_embedding"]
    return vector.masked_fill(mask.sum(dim=1, keepdim=True) == 0, 0) if mode == "max" else vector


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", SENTENCE_TRANSFORMERS)
@given(data=st.data())
@few
def test_equals_sentence_transformers(mode: str, kind: str, data: st.DataObject) -> None:
    inputs = data.draw(batches(kind))
    expected = reference(mode, inputs.last_hidden_state, inputs.attention_mask)
    torch.testing.assert_close(STRATEGIES[mode].function(inputs), expected)


@pytest.mark.parametrize("mode", SENTENCE_TRANSFORMERS)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_half_precision_is_summed_in_float32(mode: str, dtype: torch.dtype) -> None:
    """3000 numbers near 40: their sum is no float16, and a sum in bfloat16 would lose most of them."""
    inputs = build([[1] * 3000, [0] * 900 + [1] * 2100], 2, 0, dtype, layers=0)
    inputs = replace(inputs, last_hidden_state=inputs.last_hidden_state + 40)
    vector = STRATEGIES[mode].function(inputs)
    assert vector.dtype == dtype
    assert vector.isfinite().all()
    torch.testing.assert_close(vector, reference(mode, inputs.last_hidden_state, inputs.attention_mask))


def test_real_checkpoint_gives_the_vectors_of_sentence_transformers(minilm: Path) -> None:
    """From text to vector on published weights, padding included: other code loads, tokenizes and pools."""
    texts = ["A text.", "A rather longer text about embeddings, and nothing else.", "word"]
    batch = AutoTokenizer.from_pretrained(minilm)(
        texts, padding=True, return_tensors="pt", return_special_tokens_mask=True
    )
    special = batch.pop("special_tokens_mask")
    model = AutoModel.from_pretrained(minilm).eval()
    with torch.inference_mode():
        outputs = model(**batch, output_hidden_states=True)
    words = [[-1 if word is None else word for word in batch.word_ids(row)] for row in range(len(texts))]
    inputs = PoolingInputs(
        last_hidden_state=outputs.last_hidden_state,
        attention_mask=batch["attention_mask"],
        special_tokens_mask=special,
        word_index=torch.tensor(words),
        num_words=max(map(max, words)) + 1,
        hidden_states=outputs.hidden_states,
        pooler_output=outputs.pooler_output,
    )
    encoder = SentenceTransformer(str(minilm), device="cpu")
    expected = encoder.encode(texts, convert_to_tensor=True, normalize_embeddings=True)
    mean = torch.nn.functional.normalize(STRATEGIES["mean"].function(inputs))
    torch.testing.assert_close(mean, expected.cpu(), atol=1e-5, rtol=1e-4)
    check_against_loops(inputs)
    check_predicted_shapes(inputs, "cls+mean+max")


Vector = list[float]


class Row:
    """One text of a batch in plain Python floats."""

    def __init__(self, inputs: PoolingInputs, row: int) -> None:
        self.layers: list[list[Vector]] = [layer[row].double().tolist() for layer in inputs.hidden_states]
        self.hidden: list[Vector] = inputs.last_hidden_state[row].double().tolist()
        mask, special = inputs.attention_mask[row].tolist(), inputs.special_tokens_mask[row].tolist()
        self.attended = [position for position in range(len(mask)) if mask[position]]
        self.content = [position for position in self.attended if not special[position]]
        self.words: list[int] = inputs.word_index[row].tolist()
        self.num_words = inputs.num_words
        assert inputs.pooler_output is not None
        self.pooler: Vector = inputs.pooler_output[row].double().tolist()

    def each(
        self, reduce: Callable[[Vector], float], where: Sequence[int], layer: list[Vector] | None = None
    ) -> Vector:
        """Reduce every feature over the positions; zeros where there are none."""
        vectors = self.hidden if layer is None else layer
        features = range(len(vectors[0]))
        return [reduce([vectors[position][k] for position in where]) if where else 0.0 for k in features]

    def last4(self, reduce: Callable[[Vector], float]) -> Vector:
        cells = zip(*self.layers[-4:], strict=True)
        merged = [[reduce(list(numbers)) for numbers in zip(*vectors, strict=True)] for vectors in cells]
        return self.each(average, self.attended, merged)

    def first_last(self) -> Vector:
        ends = zip(self.layers[1], self.layers[-1], strict=True)
        return self.each(average, self.attended, [[(a + b) / 2 for a, b in zip(*pair, strict=True)] for pair in ends])

    def weighted(self) -> Vector:
        first = self.attended[0] if self.attended else 0
        weights = [position - first + 1 for position in self.attended]
        return self.each(lambda v: sum(w * x for w, x in zip(weights, v, strict=True)) / sum(weights), self.attended)


def average(numbers: Vector) -> float:
    return sum(numbers) / len(numbers)


LOOPS: dict[str, Callable[[Row], Vector | list[Vector]]] = {
    "cls": lambda row: row.hidden[row.attended[0] if row.attended else 0],
    "mean": lambda row: row.each(average, row.attended),
    "max": lambda row: row.each(max, row.attended),
    "mean_sqrt_len_tokens": lambda row: row.each(lambda v: sum(v) / len(v) ** 0.5, row.attended),
    "weightedmean": Row.weighted,
    "lasttoken": lambda row: row.each(max, row.attended[-1:]),
    "pooler": lambda row: row.pooler,
    "min": lambda row: row.each(min, row.attended),
    "mean_unmasked": lambda row: row.each(average, range(len(row.hidden))),
    "mean_no_special": lambda row: row.each(average, row.content),
    "mean_max": lambda row: row.each(average, row.attended) + row.each(max, row.attended),
    "first_last_avg": Row.first_last,
    "last4_mean": lambda row: row.last4(average),
    "last4_sum": lambda row: row.last4(sum),
    "last4_concat": lambda row: [x for layer in row.layers[-4:] for x in row.each(average, row.attended, layer)],
    "second_to_last": lambda row: row.each(average, row.attended, row.layers[-2]),
    "tokens": lambda row: row.hidden,
    "words": lambda row: [
        row.each(average, [position for position, own in enumerate(row.words) if own == word])
        for word in range(row.num_words)
    ],
    "words_first": lambda row: [
        row.each(max, [position for position, own in enumerate(row.words) if own == word][:1])
        for word in range(row.num_words)
    ],
}


def check_against_loops(inputs: PoolingInputs) -> None:
    dtype = inputs.last_hidden_state.dtype
    for name, strategy in STRATEGIES.items():
        loops = [LOOPS[name](Row(inputs, row)) for row in range(len(inputs.attention_mask))]
        vector = strategy.function(inputs)
        expected = torch.tensor(loops, dtype=torch.float64).reshape(vector.shape).to(dtype)
        torch.testing.assert_close(vector, expected, msg=f"{name}: {vector} is not {expected}")


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@few
def test_equals_plain_loops(kind: str, data: st.DataObject) -> None:
    """Every strategy, with as few as four layers, in double and in half precision."""
    check_against_loops(data.draw(batches(kind, (torch.float64, torch.float32, *HALVES), data.draw(st.integers(4, 6)))))


def check_predicted_shapes(inputs: PoolingInputs, *combinations: str) -> None:
    for strategy in select([*STRATEGIES, *combinations]):
        shape, vector = predict_shape(strategy, facts(inputs)), strategy.function(inputs)
        assert shape == TensorShape(strategy.axes, tuple(vector.shape), str(vector.dtype).removeprefix("torch."))


def test_table_is_complete_and_fits_its_columns() -> None:
    assert tuple(STRATEGIES) == SENTENCE_TRANSFORMERS + OURS
    assert set(SENTENCE_TRANSFORMERS) == set(Pooling.POOLING_MODES)
    assert set(LOOPS) == set(STRATEGIES), "a strategy without an independent computation"
    for name, strategy in STRATEGIES.items():
        assert strategy.name == name
        assert strategy.source
        assert "|" not in strategy.formula, "it stands in Markdown tables"
        for text, longest in ((strategy.formula, 40), (strategy.over(), 48), (strategy.over(COUNTS), 48)):
            assert text.isascii()
            assert "{" not in text
            assert 0 < len(text) <= longest, text
    assert "100-128" in STRATEGIES["mean"].over(COUNTS)
    assert STRATEGIES["mean_max"].axes == ("batch_size", "2*hidden_size")
    assert STRATEGIES["last4_concat"].axes == ("batch_size", "4*hidden_size")
    for name in ("words", "words_first"):
        assert STRATEGIES[name].axes == ("batch_size", "num_words", "hidden_size")


def test_select_keeps_the_order_asked_for_without_repeats() -> None:
    assert select([]) == tuple(STRATEGIES.values())
    assert [strategy.name for strategy in select(["mean", "cls+max", "cls", "mean", "cls+max"])] == [
        "mean", "cls+max", "cls",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "unknown", "near"),
    [
        ("maen", "maen", "mean"),
        ("last4", "last4", "last4_mean"),
        ("weighted_mean", "weighted_mean", "weightedmean"),
        ("CLS", "CLS", "cls"),
        ("cls+lastoken", "lastoken", "lasttoken"),
        ("xyzzy", "xyzzy", "bertshape poolings"),
        ("mean+xyzzy@-2", "xyzzy", "bertshape poolings"),
        ("maen@-4:concat", "maen", "mean"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest(name: str, unknown: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(["mean", name])
    assert (caught.value.code, caught.value.exit_code) == ("unknown-pooling", ExitCode.USAGE)
    assert unknown in caught.value.message
    assert near in caught.value.hint


@pytest.mark.parametrize("name", ["cls+tokens", "words+mean", "mean+mean_max+words", "cls+words_first@2"])
def test_several_vectors_a_text_cannot_be_joined(name: str) -> None:
    with pytest.raises(UsageError, match="several vectors a text") as caught:
        select([name])
    assert caught.value.code == "pooling-not-combinable"
    assert name in caught.value.message
    whole = next(part for part in name.split("+") if part.startswith(("tokens", "words")))
    assert f"{whole} gives" in caught.value.message
