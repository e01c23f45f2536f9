"""Pieces of a long text have the tokens of the whole, for every tokenizer of which `reads_words_alone` says so."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.corpus.text_file import Record
from bertshape.errors import UsageError
from bertshape.tokens.cut import kept_positions
from bertshape.tokens.encode import encode_rows
from bertshape.tokens.pieces import beginning, pieces, reads_words_alone
from bertshape.tokens.tokenizer import load_tokenizer
from tests.support.checkpoints import FAMILIES, minilm_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ODD = [
    *(
        "a",
        "Unbelievably",
        " ",
        "  ",
        "\n",
        "\t",
        "[MASK]",
        "<s>",
        "</s>",
        "e\u0301",
        "\u0301",
        "東京",
        "ﬁ",
        "Σ",
        "-",
        ".",
    ),
    *("\u00a0", "\u2028", "\u00a8", "x" * 120, "🙂", "\x00"),
]
TEXTS = st.lists(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=40)


@pytest.mark.parametrize("family", ["minilm", *FAMILIES])
def test_pieces_have_the_tokens_of_the_whole(family: str, tiny: Callable[[str], Path]) -> None:
    folder = minilm_folder() if family == "minilm" else tiny(family)
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend.no_truncation()
    backend.no_padding()
    assert reads_words_alone(backend)

    @settings(max_examples=60, deadline=None)
    @given(TEXTS, st.sampled_from(["", " "]))
    def agree(parts: list[str], between: str) -> None:
        text = between.join(parts)
        parted = list(pieces(text, 3))
        assert "".join(parted) == text
        encodings = backend.encode_batch_fast(parted, add_special_tokens=False)
        whole = backend.encode(text, add_special_tokens=False)
        assert list(chain.from_iterable(encoding.ids for encoding in encodings)) == whole.ids

    agree()


def made(**parts: object) -> Tokenizer:
    backend = Tokenizer(models.WordLevel({"a": 0, "b": 1, "a b": 2}, unk_token="a"))
    for name, part in parts.items():
        setattr(backend, name, part)
    return backend


PLAIN = pre_tokenizers.WhitespaceSplit()


@pytest.mark.parametrize(
    ("backend", "answer"),
    [
        (made(pre_tokenizer=PLAIN), True),
        (made(), False),
        (made(pre_tokenizer=pre_tokenizers.Metaspace(split=False)), False),
        (made(pre_tokenizer=pre_tokenizers.ByteLevel(use_regex=False)), False),
        (made(pre_tokenizer=pre_tokenizers.Punctuation()), False),
        (made(pre_tokenizer=PLAIN, normalizer=normalizers.Replace(Regex("a b"), "x")), False),
        (made(pre_tokenizer=PLAIN, normalizer=normalizers.Prepend("b")), False),
        (made(pre_tokenizer=PLAIN, normalizer=normalizers.Sequence([normalizers.NFC(), normalizers.Strip()])), False),
        (made(pre_tokenizer=pre_tokenizers.Sequence([PLAIN, pre_tokenizers.Metaspace()])), True),
    ],
)
def test_tokenizers_that_look_across_blanks_are_recognised(backend: Tokenizer, answer: bool) -> None:
    assert reads_words_alone(backend) is answer


def test_added_tokens_with_a_blank_look_across_it() -> None:
    backend = made(pre_tokenizer=PLAIN)
    backend.add_tokens([AddedToken("a b", normalized=False)])
    assert not reads_words_alone(backend)


def test_pieces_are_of_the_size_that_is_said() -> None:
    text = "word " * 100_000
    found = list(pieces(text))
    assert "".join(found) == text
    assert {len(piece) for piece in found[:-1]} <= set(range(100_000, 100_010))
    assert list(pieces("x" * 300_000)) == ["x" * 300_000]
    assert list(pieces("word " * 20_000)) == ["word " * 20_000]


def test_a_beginning_is_cut_between_words() -> None:
    assert beginning("word " * 100, 3) == ("word " * 20).rstrip()
    assert beginning("word", 3) == "word"
    assert beginning("1 2 3 " * 100, 3) == "1 2 3 " * 100


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta"])
def test_long_texts_are_cut_as_if_they_were_read_whole(family: str, tiny: Callable[[str], Path]) -> None:
    """Only a beginning of each is tokenized; one that gives too few tokens is tokenized whole."""
    tokenizer = load_tokenizer(open_checkpoint(str(tiny(family))))
    texts = ["word " * 3000, "a sentence", "a" + " " * 900 + "b " * 90, "x" * 900 + " a b" * 60]
    records = [Record(line, text) for line, text in enumerate(texts, start=1)]
    rows = list(encode_rows(tokenizer, records, "texts", cut_to=9))
    for row, text in zip(rows, texts, strict=True):
        whole = tokenizer.encode(text)
        kept = kept_positions(tokenizer, whole, 9)
        assert list(row.input_ids) == [whole.ids[index] for index in kept or range(len(whole))]
        assert row.cut == (kept is not None)


def test_a_text_of_any_length_is_cut(tiny: Callable[[str], Path]) -> None:
    """Where nothing is cut, one of over a million characters is refused by its line."""
    tokenizer = load_tokenizer(open_checkpoint(str(tiny("bert"))))
    records = [Record(1, "a"), Record(2, "word " * 300_000)]
    assert [len(row) for row in encode_rows(tokenizer, records, "texts", cut_to=9)] == [3, 9]
    with pytest.raises(UsageError, match="texts, line 2 has 1,500,000 characters"):
        list(encode_rows(tokenizer, records, "texts", cut_to=None))
