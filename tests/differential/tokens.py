"""Our tokens against those of `AutoTokenizer.from_pretrained(folder)`."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import BertshapeError
from bertshape.tokens.batch import tokenize
from bertshape.tokens.tokenizer import load_tokenizer
from tests.differential.token_folders import make_folder

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from bertshape.tokens.batch import Tokenization
    from bertshape.tokens.tokenizer import LoadedTokenizer

_PIECES = (
    "Hello World",
    "naïve CAFÉ e\u0301",
    "ﬁne ½ ＡＢＣ\u200b\u00a0x",
    "東京 中文字符",
    "sentence",
    "  two  blanks ",
    "\t\n",
    "unbelievably long words, cut; don't ``quote''",
    "🙂👩‍👩‍👧",
    "x" * 120,
    "\x00\x1b",
    "<new>",
    "[X]",
    "<e0> <e1>",
    "word0word1",
    "a b",
    "<image>",
    "",
)


def check(rng: random.Random, folder: Path) -> str:
    """One folder, loaded by both, and texts encoded by both."""
    make_folder(rng, folder)
    return compare(rng, folder)


def compare(rng: random.Random, folder: Path) -> str:
    """What differs between our tokenizer of a folder and transformers'."""
    import transformers

    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        own: LoadedTokenizer | None = load_tokenizer(open_checkpoint(str(folder)))
        refusal = ""
    except BertshapeError as error:
        own, refusal = None, f"{error.code}: {error.message}"
        if error.code == "tokenizer-missing":
            return ""  # transformers builds a blank tokenizer, which is no answer.
    try:
        theirs: Any = transformers.AutoTokenizer.from_pretrained(folder)
    except BaseException as error:
        return "" if own is None else f"transformers refuses, and we do not: {type(error).__name__}: {error}"
    if own is None:
        return f"we refuse, and transformers does not: {refusal}"
    return _facts(own, theirs) or _texts(rng, own, theirs)


def _facts(own: LoadedTokenizer, theirs: Any) -> str:
    pairs = {
        "special tokens": (dict(own.special_tokens), dict(theirs.special_tokens_map)),
        "pad_token_id": (own.pad_id, theirs.pad_token_id),
        "padding_side": (own.padding_side, theirs.padding_side),
        "truncation_side": (own.truncation_side, theirs.truncation_side),
        "inputs": (list(own.inputs), list(theirs.model_input_names)),
        "vocabulary": (own.backend.get_vocab(), theirs.get_vocab()),
        "class": (own.class_name, type(theirs).__name__),
    }
    return "\n".join(
        f"{name}: {ours}\n  transformers: {other}" for name, (ours, other) in pairs.items() if ours != other
    )


def _texts(rng: random.Random, own: LoadedTokenizer, theirs: Any) -> str:
    special = list(own.special_tokens.values())
    pieces = [*_PIECES, *special, *(f"x{token}y" for token in special)]
    for _ in range(4):
        texts = [" ".join(rng.choices(pieces, k=rng.choice((1, 2, 4)))) for _ in range(rng.choice((1, 2)))]
        pairs = None if rng.random() < 0.5 else [" ".join(rng.choices(pieces, k=2)) for _ in texts]
        max_length = rng.choice((None, None, 6, 9))
        difference = _batch(own, theirs, texts, pairs, max_length)
        if difference:
            return difference
    return ""


def _batch(own: LoadedTokenizer, theirs: Any, texts: list[str], pairs: list[str] | None, max_length: int | None) -> str:
    asked = f"{texts!r}, {pairs!r}, {max_length}"
    cut = {"truncation": max_length is not None, "max_length": max_length}
    try:
        wanted: Any = theirs(texts, pairs, padding=True, return_offsets_mapping=theirs.is_fast, verbose=False, **cut)
    except BaseException as error:
        wanted = error
    try:
        ours = tokenize(own, texts, pairs, padding="longest", truncation=max_length is not None, max_length=max_length)
    except BertshapeError as error:
        one_length = own.pad_id is None and not isinstance(wanted, BaseException)
        if isinstance(wanted, BaseException) or error.code == "max-length-too-small" or one_length:
            return ""
        return f"{asked}: we refuse ({error.message}), and transformers does not"
    if isinstance(wanted, BaseException):
        # It refuses to pad even where nothing is to be padded.
        harmless = own.pad_id is None and not ours.padded
        return "" if harmless else f"{asked}: transformers refuses ({wanted}), and we do not"
    columns = _columns(ours, own, theirs)
    if own.truncation_side == "left" and any(row.truncated for row in ours.rows):
        # Whether the library counts a blank into the first token's span depends on which token is the first.
        columns.pop("offset_mapping", None)
    differing = [
        f"{name}: {column}\n  transformers: {wanted[name]}"
        for name, column in columns.items()
        if name in wanted and wanted[name] != column
    ]
    strings = [theirs.convert_ids_to_tokens(row) for row in wanted["input_ids"]]
    if [[token.token for token in row.tokens] for row in ours.rows] != strings:
        differing.append(f"tokens: {ours.rows}\n  transformers: {strings}")
    return f"{asked}\n" + "\n".join(differing) if differing else ""


def _columns(ours: Tokenization, own: LoadedTokenizer, theirs: Any) -> dict[str, Any]:
    rows = [row.tokens for row in ours.rows]
    columns: dict[str, Any] = {
        "input_ids": [[token.input_id for token in row] for row in rows],
        "attention_mask": [[token.attention_mask for token in row] for row in rows],
        "token_type_ids": [[token.token_type_id for token in row] for row in rows],
    }
    if theirs.is_fast:
        columns["offset_mapping"] = [[(0, 0) if token.special else token.offset for token in row] for row in rows]
    return columns
