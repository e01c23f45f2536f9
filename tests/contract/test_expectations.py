"""Expectations: the text form, every mismatch in the agreed words, and names that do not exist."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertshape.contract.expectations import OPERATORS, Expectation, Subject, match, parse_expectation
from bertshape.contract.shape_pattern import parse_pattern
from bertshape.errors import ExitCode, UsageError
from bertshape.shapes import TensorShape
from tests.test_shapes import patterns, refusal

WEIGHT = "encoder.layer.{}.output.dense.weight"


def stored(*sizes: int) -> TensorShape:
    return TensorShape(tuple(f"axis_{axis}" for axis in range(len(sizes))), sizes, "float32")


SUBJECT = Subject(
    scalars={"hidden_size": 384, "num_hidden_layers": 6, "sequence_length": 8, "pooling": "mean", "dtype": None},
    shapes={
        "last_hidden_state": TensorShape(("batch_size", "sequence_length", "hidden_size"), (1, 8, 384), "float32"),
        "attention_mask": TensorShape(("batch_size", "sequence_length"), (1, 8), "int64"),
        "pooled.cls": TensorShape(("batch_size", "hidden_size"), (1, 384), "float32"),
        "pooled.mean": TensorShape(("batch_size", "hidden_size"), (1, 384), "float32"),
    },
    unavailable={"pooled.pooler": "the model has no pooler"},
    tensors={"embeddings.word_embeddings.weight": stored(30522, 384)}
    | {WEIGHT.format(layer): stored(384, 1536) for layer in range(6)},
)


def messages(*texts: str, subject: Subject = SUBJECT) -> list[str]:
    return [mismatch.message for mismatch in match([parse_expectation(text) for text in texts], subject)]


# The text form

names = st.text(min_size=1).map(str.strip).filter(lambda name: name and not set(name) & set("=<>!"))
words = (
    st.text(min_size=1)
    .map(str.strip)
    .filter(lambda text: text and text[0] not in "=<>![" and not text.lstrip("-").isdigit())
)
expectations = st.one_of(
    st.builds(Expectation, names, st.sampled_from(list(OPERATORS)), st.integers(1 - 10**18, 10**18 - 1)),
    st.builds(Expectation, names, st.sampled_from(["=", "!="]), words),
    st.builds(Expectation, names, st.just("="), patterns()),
)


@given(expectations)
def test_expectations_read_back_as_they_print(expectation: Expectation) -> None:
    assert parse_expectation(str(expectation)) == expectation


@given(st.text() | st.text("=<>![]_.,a1 -\n"))
def test_any_other_text_is_a_usage_error(text: str) -> None:
    error = refusal(parse_expectation, text)
    if error is None:
        assert parse_expectation(str(parse_expectation(text))) == parse_expectation(text)
    else:
        assert error.code in ("expectation-invalid", "shape-pattern-invalid")
        assert "expected" in error.message
        assert error.hint


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("hidden_size=384", Expectation("hidden_size", "=", 384)),
        (" hidden_size == 0384 ", Expectation("hidden_size", "=", 384)),
        ("num_hidden_layers>=6", Expectation("num_hidden_layers", ">=", 6)),
        ("pooling!=cls", Expectation("pooling", "!=", "cls")),
        ("pooled.cls+mean=[_, 768]", Expectation("pooled.cls+mean", "=", parse_pattern("[_,768]"))),
        ("a=b=c", Expectation("a", "=", "b=c")),
    ],
)
def test_spelling(text: str, expectation: Expectation) -> None:
    assert parse_expectation(text) == expectation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden_size", "has no operator; expected one of = != < <= > >="),
        ("=384", "has no name; expected one before '='"),
        ("hidden_size=", "has nothing after '='; expected a value"),
        ("hidden_size=>384", "has '>' after '='; expected a value"),
        ("hidden_size=<384", "has '<' after '='; expected a value"),
        ("hidden_size<large", "compares with 'large'; expected a whole number after '<'"),
        ("sequence_length<=512.0", "compares with '512.0'; expected a whole number"),
        ("last_hidden_state!=[1, 8, 384]", "has '!=' before a shape; expected '='"),
        ("last_hidden_state=[1, 8", "the shape '[1, 8' has the end at position 6; expected ',' or ']'"),
    ],
)
def test_broken_text_says_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_expectation(text)
    assert message in raised.value.message
    assert raised.value.exit_code == ExitCode.USAGE


# Matching


@pytest.mark.parametrize(
    "text",
    [
        "hidden_size=384", "hidden_size!=768", "num_hidden_layers>=6", "num_hidden_layers<=6", "num_hidden_layers>5",
        "num_hidden_layers<7", "pooling=mean", "pooling!=cls", "dtype!=float16", "sequence_length<=512",
        "last_hidden_state=[batch_size, sequence_length, 384]", "pooled.mean=[_, 384]",
        "pooled.mean=[..., hidden_size]",
        "tensor:embeddings.word_embeddings.weight=[30522, 384]",
        "tensor:encoder.layer.{0-5}.output.dense.weight=[384, 1536]",
    ],
)  # fmt: skip
def test_holds(text: str) -> None:
    assert messages(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden_size=768", "hidden_size: expected 768, got 384"),
        ("hidden_size!=384", "hidden_size: expected != 384, got 384"),
        ("num_hidden_layers>=7", "num_hidden_layers: expected >= 7, got 6"),
        ("num_hidden_layers>6", "num_hidden_layers: expected > 6, got 6"),
        ("num_hidden_layers<6", "num_hidden_layers: expected < 6, got 6"),
        ("num_hidden_layers<=5", "num_hidden_layers: expected <= 5, got 6"),
        # As text, "10" comes before "6".
        ("num_hidden_layers>10", "num_hidden_layers: expected > 10, got 6"),
        ("pooling=cls", "pooling: expected cls, got mean"),
        ("pooling!=mean", "pooling: expected != mean, got mean"),
        ("pooling=3", "pooling: expected 3, got mean"),
        ("dtype=float32", "dtype: expected float32, got nothing"),
        ("dtype>=1", "dtype: expected >= 1, got nothing"),
        ("last_hidden_state=[1, 8, 768]", "last_hidden_state.hidden_size: expected 768, got 384"),
        ("last_hidden_state=[1, 384]", "last_hidden_state: expected 2 axes [1, 384], got 3 axes [1, 8, 384]"),
        ("pooled.mean=[2, 384]", "pooled.mean.batch_size: expected 2, got 1"),
        ("pooled.mean=[_, sequence_length]", "pooled.mean.hidden_size: expected 8 (sequence_length), got 384"),
        ("pooled.pooler=[_, 384]", "pooled.pooler: expected [_, 384], got nothing: the model has no pooler"),
        ("tensor:absent.weight=[_]", "tensor:absent.weight: expected [_], got nothing"),
        (
            "tensor:embeddings.word_embeddings.weight=[30000, 384]",
            "tensor:embeddings.word_embeddings.weight.axis_0: expected 30000, got 30522",
        ),
    ],
)
def test_mismatch_in_the_agreed_words(text: str, message: str) -> None:
    assert messages(text) == [message]


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("num_layers>=6", Expectation("num_hidden_layers", ">=", 6)),
        ("num_heads = 12", Expectation("num_attention_heads", "=", 12)),
        ("num_tokens<=512", Expectation("sequence_length", "<=", 512)),
        ("dtype=fp32", Expectation("dtype", "=", "float32")),
        ("dtype!=fp16", Expectation("dtype", "!=", "float16")),
        ("run.dtype=bf16", Expectation("run.dtype", "=", "bfloat16")),
        ("dtype=float32", Expectation("dtype", "=", "float32")),
        ("model_type=fp32", Expectation("model_type", "=", "fp32")),
    ],
)
def test_what_people_type_is_what_transformers_says(text: str, expectation: Expectation) -> None:
    assert parse_expectation(text) == expectation


def test_aliases_hold_and_fail_as_the_names_do() -> None:
    assert messages("num_layers=6", "num_tokens=8", "dtype!=fp32", "last_hidden_state=[_, num_tokens, _]") == []
    assert messages("num_layers=7") == ["num_hidden_layers: expected 7, got 6"]
    assert messages("last_hidden_state=[_, _, num_tokens]") == [
        "last_hidden_state.hidden_size: expected 8 (num_tokens), got 384"
    ]


def test_every_mismatch_is_reported_in_order_with_its_expectation() -> None:
    texts = ["hidden_size=1", "hidden_size=384", "last_hidden_state=[2, 9, 384]", "pooling=cls"]
    found = match([parse_expectation(text) for text in texts], SUBJECT)
    assert [mismatch.expectation for mismatch in found] == [texts[0], texts[2], texts[2], texts[3]]
    assert [mismatch.name for mismatch in found] == [
        "hidden_size", "last_hidden_state.batch_size", "last_hidden_state.sequence_length", "pooling",
    ]  # fmt: skip


def test_axis_names_bind_across_expectations() -> None:
    assert messages("last_hidden_state=[n, length, size]", "pooled.mean=[n, size]", "attention_mask=[n, length]") == []
    assert messages("last_hidden_state=[n, length, size]", "pooled.mean=[size, n]") == [
        "pooled.mean.batch_size: expected 384 (size), got 1",
        "pooled.mean.hidden_size: expected 1 (n), got 384",
    ]
    assert messages(
        "last_hidden_state=[_, _, size]",
        "tensor:embeddings.word_embeddings.weight=[size, size]",
    ) == ["tensor:embeddings.word_embeddings.weight.axis_0: expected 384 (size), got 30522"]


def test_bindings_end_with_the_call() -> None:
    assert messages("pooled.mean=[n, _]") == messages("pooled.mean=[_, n]") == []


def test_a_name_that_is_a_number_elsewhere_stands_for_that_number() -> None:
    """Without this, two axes written the wrong way round would pass."""
    assert messages("last_hidden_state=[batch_size, sequence_length, hidden_size]") == []
    assert messages("last_hidden_state=[_, hidden_size, sequence_length]") == [
        "last_hidden_state.sequence_length: expected 384 (hidden_size), got 8",
        "last_hidden_state.hidden_size: expected 8 (sequence_length), got 384",
    ]


def test_a_folded_name_stands_for_every_layer() -> None:
    tensors = dict(SUBJECT.tensors)
    del tensors[WEIGHT.format(1)]
    tensors[WEIGHT.format(4)] = stored(384, 1000)
    assert messages(f"tensor:{WEIGHT.format('{0-5}')}=[384, 1536]", subject=replace(SUBJECT, tensors=tensors)) == [
        f"tensor:{WEIGHT.format(1)}: expected [384, 1536], got nothing",
        f"tensor:{WEIGHT.format(4)}.axis_1: expected 1536, got 1000",
    ]


def test_a_stored_name_that_looks_folded_is_taken_as_it_is() -> None:
    assert messages("tensor:a.{0-1}=[3]", subject=Subject(tensors={"a.{0-1}": stored(3)})) == []


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("hiden_size=384", "hidden_size"),
        ("hidden size=384", "hidden_size"),
        ("last_hiden_state=[_, _, 384]", "last_hidden_state"),
        ("mean=[_, 384]", "pooled.mean"),
        ("pooler=[_, 384]", "pooled.pooler"),
        ("cls=[_, 384]", "pooled.cls"),
        ("embeddings.word_embeddings.weight=[30522, 384]", "tensor:embeddings.word_embeddings.weight"),
    ],
)
def test_a_misspelt_name_is_a_usage_error_with_the_nearest_names(text: str, near: str) -> None:
    with pytest.raises(UsageError) as raised:
        messages(text)
    assert raised.value.code == "expectation-unknown-name"
    assert repr(text.split("=")[0]) in raised.value.message
    assert raised.value.hint.startswith(f"Did you mean {near}")
    assert raised.value.exit_code == ExitCode.USAGE


def test_a_name_like_no_other_lists_them_all() -> None:
    with pytest.raises(UsageError) as raised:
        messages("zzz=1")
    assert all(name in raised.value.hint for name in (*SUBJECT.scalars, *SUBJECT.shapes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("last_hidden_state=384", "last_hidden_state is a shape; expected last_hidden_state=[...]"),
        ("pooled.pooler=384", "pooled.pooler is a shape"),
        ("tensor:embeddings.word_embeddings.weight=384", "tensor:embeddings.word_embeddings.weight is a shape"),
        ("hidden_size=[384]", "hidden_size is no shape; expected hidden_size=VALUE"),
        ("hidden_size=large", "hidden_size is a number; expected a whole number, found 'large'"),
        ("hidden_size=384.0", "hidden_size is a number; expected a whole number, found '384.0'"),
        ("pooling<3", "pooling is text; expected = or !="),
    ],
)
def test_a_value_of_the_wrong_form_says_which_is_right(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        messages(text)
    assert raised.value.code == "expectation-invalid"
    assert message in raised.value.message


def test_text_that_looks_like_a_number_is_compared_as_text() -> None:
    assert messages("model_type=3", subject=Subject(scalars={"model_type": "3"})) == []
