"""Words of real tokenizers: the numbers that pooling uses, spans that are the words, and their table."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bertshape import inspect_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.render.tables import UNICODE
from bertshape.render.word_table import positions_label, word_sections
from bertshape.tokens.batch import Row, Token, tokenize
from bertshape.tokens.tokenizer import LoadedTokenizer, load_tokenizer
from bertshape.tokens.words import Word, words_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.report import Report

KINDS = ("wordpiece", "byte-level", "byte-level, untrimmed", "unigram")
FAMILIES = {"byte-level": "roberta", "byte-level, untrimmed": "modernbert", "unigram": "xlm-roberta"}
TEXT = "Unbelievably  naïve 東京 🙂 isn't [MASK]."
# Nothing of these is normalized to other characters, so that a word's text must be what the tokens say.
PLAIN = ["an example", "Sentence embeddings average the vectors.", "unbelievably  long", " padding ", "0 1 2"]


@pytest.fixture(scope="module")
def tokenizers(minilm: Path, tiny: Callable[[str], Path]) -> dict[str, LoadedTokenizer]:
    """A tokenizer of each kind: MiniLM's own, and trained ones of other families."""
    folders = {kind: tiny(FAMILIES[kind]) if kind in FAMILIES else minilm for kind in KINDS}
    return {kind: load_tokenizer(open_checkpoint(str(folder))) for kind, folder in folders.items()}


def check_words(row: Row) -> tuple[Word, ...]:
    """What holds of any row: the words are those of pooling, and every slice is in its text."""
    words = words_of(row)
    indices = row.word_indices()
    assert [word.index for word in words] == list(range(max(indices, default=-1) + 1))
    seen = [(position, word.index) for word in words for position in word.positions]
    assert sorted(seen) == [(position, index) for position, index in enumerate(indices) if index >= 0]
    for word in words:
        assert word.tokens == tuple(row.tokens[position].token for position in word.positions)
        assert word.positions[0] == indices.index(word.index), "the position that words_first takes"
        source = row.pair if word.sequence_id else row.text
        assert source is not None
        assert word.offset is not None
        assert 0 <= word.offset[0] <= word.offset[1] <= len(source)
        assert word.text == source[slice(*word.offset)]
        assert word.text == word.text.strip() or not word.text.strip()
    return words


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_words_that_agree_with_pooling(
    kind: str, data: st.DataObject, tokenizers: dict[str, LoadedTokenizer]
) -> None:
    """Whatever the characters, pairs and padding; no word is lost, and what is no blank is in some word."""
    texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.text("aé東🙂 \t.\u00a0\u200b", max_size=20)
    first = data.draw(st.lists(texts, min_size=1, max_size=2))
    second = [data.draw(texts) for _ in first] if data.draw(st.booleans()) else None
    batch = tokenize(tokenizers[kind], first, second)
    for row in batch.rows:
        words = check_words(row)
        assert len(words) <= batch.num_words
        assert [word.sequence_id for word in words] == sorted(word.sequence_id for word in words)
    assert max(len(words_of(row)) for row in batch.rows) == batch.num_words


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", PLAIN)
def test_words_between_blanks_are_pieced_together(kind: str, text: str, tokenizers: dict[str, LoadedTokenizer]) -> None:
    """Words in order, joined, are the text without its blanks: no letter is doubled, none is missing."""
    words = check_words(tokenize(tokenizers[kind], [text]).rows[0])
    assert "".join(word.text for word in words if word.text.strip()) == "".join(text.split())
    starts = {word.offset[0] for word in words if word.offset and word.text.strip()}
    assert {index for index, letter in enumerate(text) if letter.strip() and not text[:index][-1:].strip()} <= starts


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("wordpiece", ["Unbelievably", "naïve", "東", "京", "🙂", "isn", "'", "t", "[MASK]", "."]),
        ("byte-level", ["Unbelievably", "", "naïve", "東京", "🙂", "isn", "'t", "[", "MASK", "]."]),
        ("byte-level, untrimmed", ["Unbelievably", " ", "naïve", "東京", "🙂", "isn", "'t", " ", "[MASK]", "."]),
        ("unigram", ["Unbelievably", " ", "naïve", "東京", "🙂", "isn't", "[MASK]."]),
    ],
)
def test_words_of_each_kind_of_tokenizer(
    kind: str, expected: list[str], tokenizers: dict[str, LoadedTokenizer]
) -> None:
    """A character of several byte tokens, an unknown one, a blank that is counted in, and one that is a token."""
    words = check_words(tokenize(tokenizers[kind], [TEXT]).rows[0])
    assert [word.text for word in words] == expected


def test_words_of_minilm_in_full(tokenizers: dict[str, LoadedTokenizer]) -> None:
    row = tokenize(tokenizers["wordpiece"], ["An unbelievably", "a b c d e f g h"]).rows[0]
    assert words_of(row) == (
        Word(0, 0, "An", ("an",), (1,), (0, 2)),
        Word(1, 0, "unbelievably", ("un", "##bel", "##ie", "##va", "##bly"), (2, 3, 4, 5, 6), (3, 15)),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_words_of_a_pair_are_counted_on(kind: str, tokenizers: dict[str, LoadedTokenizer]) -> None:
    """The second text's spans are in the second text, though both begin at 0."""
    words = check_words(tokenize(tokenizers[kind], ["one two"], ["three one"]).rows[0])
    assert [(word.index, word.sequence_id, word.text) for word in words] == [
        (0, 0, "one"), (1, 0, "two"), (2, 1, "three"), (3, 1, "one"),
    ]  # fmt: skip
    assert words[2].offset == (0, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_words_cut_away_are_not_there(kind: str, tokenizers: dict[str, LoadedTokenizer]) -> None:
    row = tokenize(tokenizers[kind], ["unbelievably " * 9], truncation=True, max_length=12).rows[0]
    words = check_words(row)
    assert row.truncated
    assert "unbelievably".startswith(words[-1].text)


def token(position: int, word_id: int | None, offset: tuple[int, int] | None, sequence_id: int | None = 0) -> Token:
    return Token(position, f"t{position}", position, 1, 0, False, "word_start", sequence_id, word_id, offset)


def test_odd_rows_give_no_wrong_slice() -> None:
    """A tokenizer may give no span, or no sequence; and tokens of one word need not stand together."""
    row = Row("ab  cd", None, (token(0, 0, (0, 2)), token(1, 1, None), token(2, None, (2, 3)), token(3, 0, (2, 6))), 0)
    assert words_of(row) == (Word(0, 0, "ab  cd", ("t0", "t3"), (0, 3), (0, 6)), Word(1, 0, "", ("t1",), (1,), None))
    unplaced = Row("ab", None, (token(0, 0, (0, 2), None),), 0)
    assert words_of(unplaced) == (Word(0, 0, "ab", ("t0",), (0,), (0, 2)),)
    assert words_of(Row("", None, (), 0)) == ()


@pytest.mark.parametrize(
    ("positions", "label"), [((3,), "3"), ((3, 4), "3-4"), ((3, 4, 5), "3-5"), ((0, 2, 3, 9), "0,2-3,9")]
)
def test_positions_are_shown_as_runs(positions: tuple[int, ...], label: str) -> None:
    assert positions_label(positions) == label


# --- the table ---


def draw(report: Report, columns: int, *, all_tokens: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, color_system=None, force_terminal=False)
    for section in word_sections(report, all_tokens=all_tokens):
        console.print(section.render(columns, UNICODE))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def cells(lines: list[str]) -> list[list[str]]:
    """Cells of each line but the rule; the room between columns differs among versions of Rich."""
    return [re.split(r"  +", line.strip()) for line in lines if "─" not in line]


def test_table_of_words(minilm: Path) -> None:
    report = inspect_texts("Unbelievably naïve.", model=str(minilm), weights="none")
    assert cells(draw(report, 80)) == [
        ["Words", "3 words of 7 content tokens"],
        ["word", "text", "tokens", "positions", "span"],
        ["0", "Unbelievably", "un ##bel ##ie ##va ##bly", "1-5", "0-12"],
        ["1", "naïve", "naive", "6", "13-18"],
        ["2", ".", ".", "7", "18-19"],
    ]


def test_table_of_a_pair_and_of_several_texts(minilm: Path, tiny: Callable[[str], Path]) -> None:
    pair = inspect_texts("one", pairs="two", model=str(minilm), weights="none")
    assert cells(draw(pair, 80)) == [
        ["Words", "2 words of 2 content tokens"],
        ["word", "text", "tokens", "positions", "span", "of"],
        ["0", "one", "one", "1", "0-3", "text 1"],
        ["1", "two", "two", "3", "0-3", "text 2"],
    ]
    several = draw(inspect_texts(["one", "", "a  b"], model=str(tiny("modernbert")), weights="none"), 80)
    assert [line for line in several if line.startswith("Words")] == [
        "Words of text 1   1 word of 2 content tokens",
        "Words of text 2   0 words of 0 content tokens",
        "Words of text 3   3 words of 4 content tokens",
    ]
    assert several[-2].split()[:3] == ["1", "(blank)", "Ġ"]


@pytest.mark.parametrize("columns", [40, 60, 80, 160])
def test_no_line_is_wider_than_the_screen_and_no_word_is_lost(minilm: Path, columns: int) -> None:
    text = f"東京 {'x' * 300} unbelievably {'antidisestablishmentarianism' * 3}"
    lines = draw(inspect_texts(text, model=str(minilm), weights="none"), columns)
    assert max(map(cell_len, lines)) <= columns
    # Where the screen is too narrow for a table, the number of a word has a line of its own.
    numbers = [line.split()[0] for line in lines if line[:4].strip().isdigit() and not line.startswith("  1")]
    assert numbers == ["0", "1", "2", "3", "4"]
    assert all("…" not in line for line in lines)


def test_long_lists_and_long_words_are_folded(minilm: Path) -> None:
    text = "unbelievably" * 8 + " word" * 60
    report = inspect_texts(text, model=str(minilm), weights="none")
    folded, whole = draw(report, 160), draw(report, 160, all_tokens=True)
    assert any("31 more" in line for line in folded)
    assert any(" and 30 more" in line for line in folded[3:5]), "tokens of the first word"
    assert f"{text[:40]}..." in folded[3]
    assert not any("more" in line for line in whole)
    numbers = [int(line[:4]) for line in whole[3:] if line[:4].strip()]
    assert numbers == list(range(61))
    assert [int(line[:4]) for line in folded[3:] if line[:4].strip().isdigit()] == [*range(15), *range(46, 61)]


def test_what_was_cut_away_is_said(minilm: Path) -> None:
    report = inspect_texts("one two three", model=str(minilm), weights="none", max_length=4)
    assert draw(report, 80)[0] == "Words   2 words of 2 content tokens (1 more cut away)"


def test_foreign_text_is_shown_and_not_obeyed(tiny: Callable[[str], Path]) -> None:
    """Neither markup nor control characters of a word, or of a token, reach the screen."""
    report = inspect_texts("a\x1b[31mred\u202e[bold]b", model=str(tiny("xlm-roberta")), weights="none")
    text = "\n".join(draw(report, 160))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"a\x1b[31mred\u202e[bold]b" in text
    batch = report.tokenization
    hostile = replace(batch.rows[0], tokens=tuple(replace(t, token="[red]\x07") for t in batch.rows[0].tokens))
    text = "\n".join(draw(replace(report, tokenization=replace(batch, rows=(hostile,))), 160))
    assert "\x07" not in text
    assert r"[red]\x07" in text
