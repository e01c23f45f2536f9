"""Our tokens are those of AutoTokenizer, on real tokenizers and any text."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import BertshapeError, UsageError
from bertshape.tokens.batch import tokenize
from bertshape.tokens.cut import kept_lengths
from bertshape.tokens.tokenizer import load_tokenizer
from tests.support.checkpoints import FAMILIES, edited_copy, minilm_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from bertshape.tokens.batch import Tokenization
    from bertshape.tokens.tokenizer import LoadedTokenizer

EMBEDDED = Path(__file__).parents[2] / "bertshape" / "checkpoint" / "embedded" / "bert-base-uncased"
ODD = [
    "[MASK]",
    "[CLS]",
    "[unused1]",
    "<s>",
    "</s>",
    "naïve",
    "e\u0301",
    "東京",
    "שלום",
    "🙂",
    "👩‍👩‍👧",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\u00a0",
    "ﬁ",
]
TEXTS = st.lists(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=8).map(
    " ".join
)


@functools.cache
def load(folder: Path) -> tuple[LoadedTokenizer, Any]:
    import transformers

    own = load_tokenizer(open_checkpoint(str(folder)))
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    return own, theirs


def columns(tokenization: Tokenization) -> dict[str, list[list[int]]]:
    fields = {"input_ids": "input_id", "attention_mask": "attention_mask", "token_type_ids": "token_type_id"}
    return {
        name: [[getattr(token, field) for token in row.tokens] for row in tokenization.rows]
        for name, field in fields.items()
    }


def agree(folder: Path, texts: list[str], pairs: list[str] | None = None, **options: Any) -> None:
    own, theirs = load(folder)
    ours = columns(tokenize(own, texts, pairs, **options))
    padding = {"longest": True, "max_length": "max_length", "none": False}[options.get("padding", "longest")]
    wanted = theirs(
        texts,
        pairs,
        padding=padding,
        truncation=options.get("truncation", False),
        max_length=options.get("max_length"),
    )
    assert set(own.inputs) == set(wanted)
    for name, rows in ours.items():
        assert rows == wanted.get(name, [[0] * len(row) for row in rows]), name


@pytest.fixture(scope="module", params=["minilm", "embedded", *FAMILIES])
def folder(request: pytest.FixtureRequest, tiny: Callable[[str], Path]) -> Path:
    known = {"minilm": minilm_folder(), "embedded": EMBEDDED}
    return known.get(request.param) or tiny(request.param)


FAST = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None
)


@FAST
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_batches_are_those_of_auto_tokenizer(folder: Path, texts: list[str]) -> None:
    agree(folder, texts)


@FAST
@given(TEXTS, TEXTS, st.integers(5, 40))
def test_pairs_are_cut_like_auto_tokenizer(folder: Path, text: str, pair: str, max_length: int) -> None:
    agree(folder, [text], [pair], truncation=True, max_length=max_length)


@FAST
@given(TEXTS, st.integers(2, 30))
def test_texts_are_cut_and_padded_like_auto_tokenizer(folder: Path, text: str, max_length: int) -> None:
    agree(folder, [text], truncation=True, max_length=max_length, padding="max_length")


@pytest.mark.parametrize("side", ["padding_side", "truncation_side"])
def test_left_sides(minilm: Path, tmp_path: Path, side: str) -> None:
    import json

    copy = edited_copy(minilm, tmp_path / "left")
    path = copy / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {side: "left"}))
    texts = ["a few words, more than fit", "one"]
    agree(copy, texts)
    agree(copy, texts, truncation=True, max_length=5)
    agree(copy, ["one two three four"], ["five six seven eight nine"], truncation=True, max_length=8)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_room_is_shared_as_tokenizers_shares_it(first: int, second: int, room: int) -> None:
    """The rule of `longest_first`, taken from the library by letting it cut."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    backend = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.enable_truncation(room)
    encoding = backend.encode("a " * first, "b " * second)
    kept = (encoding.ids.count(0), encoding.ids.count(1))
    assert kept_lengths(first, second, room) == kept


def test_kinds_words_and_spans(minilm: Path) -> None:
    own, _ = load(minilm)
    text = "Unbelievably [MASK] 🙂 x"
    row = tokenize(own, [text, "x"]).rows[0]
    kinds = [token.kind for token in row.tokens]
    assert kinds[0] == kinds[-1] == "special"
    assert kinds[1:6] == ["word_start", *["continuation"] * 4]
    mask = next(token for token in row.tokens if token.token == "[MASK]")
    assert (mask.special, mask.kind) == (False, "word_start")
    assert next(token for token in row.tokens if token.input_id == 100).kind == "unknown"
    spans = [text[slice(*token.offset)] for token in row.tokens if token.offset]
    assert spans[:6] == ["Un", "bel", "ie", "va", "bly", "[MASK]"]
    assert len(row.tokens) == row.content + row.special + row.padding
    short = tokenize(own, [text, "x"]).rows[1]
    assert short.tokens[-1].kind == "padding"
    assert short.padding == len(row.tokens) - 3


def test_words_of_a_pair_are_counted_on(minilm: Path) -> None:
    own, _ = load(minilm)
    row = tokenize(own, ["one two"], ["three unbelievably"]).rows[0]
    assert row.word_indices() == [-1, 0, 1, -1, 2, 3, 3, 3, 3, 3, -1]


@pytest.mark.parametrize(("text", "words"), [("a\ud800", "U+D800"), ("caf\udce9", "0xe9")])
def test_text_that_is_no_unicode_is_refused(text: str, words: str) -> None:
    from bertshape import inspect_texts

    with pytest.raises(UsageError, match=words.replace("+", r"\+")) as caught:
        inspect_texts(text, weights="none")
    assert caught.value.code == "text-not-unicode"


def test_a_million_characters_are_cut_in_one_go(minilm: Path) -> None:
    """As a pair too: the library's own truncation would build every combination of the parts cut away."""
    own, _ = load(minilm)
    text = "word " * 200_000
    row = tokenize(own, [text], [text], truncation=True, max_length=128).rows[0]
    assert len(row.tokens) == 128
    assert row.truncated == 400_000 - 125


def _vocabulary_only(source: Path, target: Path, **options: object) -> Path:
    import json

    edited_copy(source, target)
    (target / "tokenizer.json").unlink()
    config = {"tokenizer_class": "BertTokenizer", "unk_token": "[UNK]", "pad_token": "[PAD]"} | options
    (target / "tokenizer_config.json").write_text(json.dumps(config))
    return target


@pytest.mark.parametrize("options", [{}, {"do_lower_case": False}, {"strip_accents": False}])
def test_vocab_txt_alone_is_enough(minilm: Path, tmp_path: Path, options: dict[str, object]) -> None:
    copy = _vocabulary_only(minilm, tmp_path / "vocabulary", **options)
    agree(copy, ["Naïve CAFÉ unbelievably, 東京!", "[MASK] x"])
    agree(copy, ["one"], ["two three"])


def test_a_folder_without_a_tokenizer_is_refused(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Given only config.json, transformers would make a tokenizer of five tokens."""
    copy = edited_copy(tiny("bert"), tmp_path / "bare")
    (copy / "tokenizer.json").unlink()
    with pytest.raises(BertshapeError) as caught:
        load_tokenizer(open_checkpoint(str(copy)))
    assert caught.value.code == "tokenizer-missing"
    (copy / "tokenizer.json").write_text('{"model": {}}')
    with pytest.raises(BertshapeError) as caught:
        load_tokenizer(open_checkpoint(str(copy)))
    assert caught.value.code == "tokenizer-invalid"
