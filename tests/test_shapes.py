"""Shape patterns: what matches, what binds, and that a broken one says where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertshape.contract.shape_pattern import AxisMismatch, ShapePattern, parse_pattern, pattern_from_list
from bertshape.errors import ExitCode, UsageError
from bertshape.shapes import TensorShape

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT = TensorShape(("batch_size", "sequence_length", "hidden_size"), (2, 8, 384), "float32")

sizes = st.integers(0, 10**18 - 1)
axis_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


@st.composite
def patterns(draw: st.DrawFn) -> ShapePattern:
    entries: list[int | str] = draw(st.lists(sizes | axis_names, max_size=6))
    if draw(st.booleans()):
        entries.insert(draw(st.integers(0, len(entries))), "...")
    return ShapePattern(tuple(entries))


@given(patterns())
def test_patterns_read_back_as_they_print(pattern: ShapePattern) -> None:
    assert parse_pattern(str(pattern)) == pattern
    assert pattern_from_list(list(pattern.entries)) == pattern


def refusal(parse: Callable[[str], object], text: str) -> UsageError | None:
    """The error that a text raises; any other kind of exception fails the test."""
    try:
        parse(text)
    except UsageError as error:
        return error
    return None


@given(st.text() | st.text("[]_.,a1 -\n"))
def test_any_other_text_is_a_usage_error(text: str) -> None:
    error = refusal(parse_pattern, text)
    if error is None:
        assert parse_pattern(str(parse_pattern(text))) == parse_pattern(text)
    else:
        assert error.code == "shape-pattern-invalid"
        assert "expected" in error.message


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("[batch_size, sequence_length, 384]", "[batch_size, sequence_length, 384]"),
        ("  [ 1,8 ,\n384 ]\t", "[1, 8, 384]"),
        ("[...,384]", "[..., 384]"),
        ("[_,007]", "[_, 7]"),
        ("[ ]", "[]"),
    ],
)
def test_spelling_is_free_and_printing_is_not(text: str, canonical: str) -> None:
    assert str(parse_pattern(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the shape '' has the end at position 1; expected '['"),
        ("384", "has '3' at position 1; expected '['"),
        ("[1, 8", "has the end at position 6; expected ',' or ']'"),
        ("[1 8]", "has '8' at position 4; expected ',' or ']'"),
        ("[1,]", "has ']' at position 4; expected a size, an axis name, '_' or '...'"),
        ("[-1]", "has '-' at position 2; expected a size"),
        ("[8x]", "has '8' at position 2; expected a size"),
        ("[١]", "has '١' at position 2; expected a size"),
        (f"[{10**18}]", "has '1' at position 2; expected a size"),
        ("[..]", "has '.' at position 2; expected a size"),
        ("[1] 2", "has '2' at position 5; expected the end"),
        ("[..., 1, ...]", "entry 3 of the shape [..., 1, ...] is '...' again; expected it once at most"),
    ],
)
def test_broken_text_says_where_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_pattern(text)
    assert message in raised.value.message
    assert "[batch_size, sequence_length, 384]" in raised.value.hint
    assert raised.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("entry", [-1, 10**18, True, 1.0, None, "", "a b", "2x", "..", [1]])
def test_lists_hold_sizes_and_names_alone(entry: object) -> None:
    """True would pass for the size 1."""
    with pytest.raises(UsageError, match=r"entry 2 of a shape is .*; expected"):
        pattern_from_list([1, entry])


@pytest.mark.parametrize(
    "text",
    [
        "[2, 8, 384]", "[_, _, _]", "[_, _, 384]", "[batch, length, size]", "[...]", "[..., 384]", "[2, ...]",
        "[2, ..., 384]", "[..., 2, 8, 384]", "[2, 8, 384, ...]", "[2, 8, ..., 384]", "[..., n, 384]",
    ],
)  # fmt: skip
def test_matches(text: str) -> None:
    assert parse_pattern(text).match(OUTPUT, {}) == []


@pytest.mark.parametrize(
    ("text", "mismatches"),
    [
        ("[2, 8, 768]", [AxisMismatch("hidden_size", 768, 384)]),
        ("[3, _, 768]", [AxisMismatch("batch_size", 3, 2), AxisMismatch("hidden_size", 768, 384)]),
        ("[n, n, n]", [AxisMismatch("sequence_length", 2, 8, " (n)"), AxisMismatch("hidden_size", 2, 384, " (n)")]),
        ("[..., 8]", [AxisMismatch("hidden_size", 8, 384)]),
        ("[8, ...]", [AxisMismatch("batch_size", 8, 2)]),
        ("[8, ..., 2]", [AxisMismatch("batch_size", 8, 2), AxisMismatch("hidden_size", 2, 384)]),
        ("[..., 7, 384]", [AxisMismatch("sequence_length", 7, 8)]),
        ("[7, 384]", [AxisMismatch("", "2 axes [7, 384]", "3 axes [2, 8, 384]")]),
        ("[_]", [AxisMismatch("", "1 axis [_]", "3 axes [2, 8, 384]")]),
        ("[1, 2, 3, 4]", [AxisMismatch("", "4 axes [1, 2, 3, 4]", "3 axes [2, 8, 384]")]),
        ("[_, ..., _, _, _]", [AxisMismatch("", "at least 4 axes [_, ..., _, _, _]", "3 axes [2, 8, 384]")]),
    ],
)
def test_every_axis_that_differs_is_named(text: str, mismatches: list[AxisMismatch]) -> None:
    assert parse_pattern(text).match(OUTPUT, {}) == mismatches


def test_names_bind_and_underscores_do_not() -> None:
    bindings = {"length": 9}
    found = parse_pattern("[batch, length, _]").match(OUTPUT, bindings)
    assert found == [AxisMismatch("sequence_length", 9, 8, " (length)")]
    assert bindings == {"length": 9, "batch": 2}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_only_the_raised_size_differs(actual: list[int], data: st.DataObject) -> None:
    """A pattern of sizes, `_` and one name a size matches; with one size raised, that axis alone differs."""
    shape = TensorShape(tuple(f"axis_{index}" for index in range(len(actual))), tuple(actual), "int64")
    choices: list[st.SearchStrategy[int | str]] = [st.sampled_from([size, "_", f"n{size}"]) for size in actual]
    entries = [data.draw(choice) for choice in choices]
    assert ShapePattern(tuple(entries)).match(shape, {}) == []
    at = data.draw(st.integers(0, len(actual) - 1))
    entries[at] = actual[at] + 1
    found = ShapePattern(tuple(entries)).match(shape, {})
    assert found == [AxisMismatch(f"axis_{at}", actual[at] + 1, actual[at])]


@given(st.lists(sizes, max_size=6), st.data())
def test_a_slice_of_a_shape_may_be_left_open(actual: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(actual)))
    end = data.draw(st.integers(start, len(actual)))
    shape = TensorShape(tuple(f"axis_{index}" for index in range(len(actual))), tuple(actual), "int64")
    assert ShapePattern((*actual[:start], "...", *actual[end:])).match(shape, {}) == []
