"""The words of a vocabulary: files that disagree about them, and entries that no text can reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bertshape.errors import CheckpointError
from bertshape.files import exists, read_json_object, read_text
from bertshape.report.finding import Finding
from bertshape.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.tokenizer import LoadedTokenizer

_MARK = "\ufeff"
_WORD = re.compile("[A-Za-z]{3,}")
_ENOUGH_WORDS = 1_000
_CAPITALS = 0.05
"""Share of words with capitals above which a vocabulary was made of texts that kept theirs."""
_PREFIX, _PIECES = "##", 100
_TRIED = 5
_SPARE_ROWS = 512


def vocabulary_file_findings(folder: Path, tokenizer: LoadedTokenizer) -> Iterator[Finding]:
    """What the files of a WordPiece or BPE vocabulary say, against each other and against what the tokenizer does.

    Args:
        folder: Folder of the tokenizer's files.
        tokenizer: The tokenizer, which can encode.
    """
    model: Any = getattr(tokenizer.backend, "model", None)
    kind = type(model).__name__
    if kind not in ("WordPiece", "BPE"):
        return
    entries: Mapping[str, int] = tokenizer.backend.get_vocab()
    if tokenizer.file == "tokenizer.json":
        yield from _other_file(folder, {number: token for token, number in entries.items()}, kind)
    elif tokenizer.file == "vocab.txt":
        yield from _repeated(folder)
    if kind == "WordPiece":
        yield from _unreachable_pieces(tokenizer, model, entries)
        yield from _case(tokenizer, entries)


def rows_without_tokens(architecture: Architecture, tokenizer: LoadedTokenizer) -> Iterator[Finding]:
    """Rows are rounded up by some hundreds; more of them are those of another vocabulary.

    Args:
        architecture: Its vocab_size is the number of rows.
        tokenizer: The tokenizer, whose ids are all in range.
    """
    rows, largest = architecture.dimensions.vocab_size, tokenizer.largest_id
    if rows is None or rows - largest - 1 <= max(_SPARE_ROWS, rows // 100):
        return
    yield Finding(
        "rows-without-tokens",
        "note",
        f"the embedding has {rows:,} rows, and {tokenizer.file} has no id above {largest:,}: it may be the tokenizer "
        "of another checkpoint",
        "Compare with the tokenizer of the original checkpoint.",
        where=tokenizer.file,
        expected=f"about {rows} tokens",
        actual=f"{largest + 1} tokens",
    )


def byte_order_mark(tokenizer: LoadedTokenizer) -> str | None:
    """The first entry of a vocabulary, where it is another token with a byte order mark before it."""
    return next((name for name in tokenizer.added if tokenizer.backend.token_to_id(_MARK + name) is not None), None)


def _other_file(folder: Path, tokens: Mapping[int, str], kind: str) -> Iterator[Finding]:
    """A vocabulary beside tokenizer.json, which is read in its place."""
    name = "vocab.txt" if kind == "WordPiece" else "vocab.json"
    if not exists(folder / name):
        return
    try:
        if name == "vocab.txt":
            said = dict(enumerate(_lines(folder / name)))
        else:
            numbers = read_json_object(folder / name)
            said = {number: token for token, number in numbers.items() if isinstance(number, int)}
    except CheckpointError:
        return  # Nothing here reads it; what is wrong with it is said where it is a Git LFS pointer.
    differing = [number for number, token in said.items() if tokens.get(number) != token]
    if not differing:
        return
    number = differing[0]
    yield Finding(
        "vocabulary-files-differ",
        "warning",
        f"{name} and tokenizer.json give {counted(len(differing), 'id')} to different tokens, such as {number}: "
        f"{said[number]!r} and {tokens.get(number)!r}. transformers and tokenizers read tokenizer.json; tools "
        f"that read {name} encode other ids",
        f"Find out which of the two the weights were trained with. If it is {name}, move tokenizer.json away and save "
        "the tokenizer again.",
        where=f"{name} {number}",
        expected=repr(tokens.get(number)),
        actual=repr(said[number]),
    )


def _lines(path: Path) -> list[str]:
    """The tokens of a vocab.txt, as transformers reads them."""
    lines = read_text(path).replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _repeated(folder: Path) -> Iterator[Finding]:
    places: dict[str, list[int]] = {}
    for number, token in enumerate(_lines(folder / "vocab.txt")):
        places.setdefault(token, []).append(number)
    twice = {token: numbers for token, numbers in places.items() if len(numbers) > 1}
    if twice:
        token, numbers = next(iter(twice.items()))
        yield Finding(
            "vocabulary-repeats",
            "warning",
            f"vocab.txt has {counted(len(twice), 'token')} more than once, such as {token!r} with the ids "
            f"{listed([str(number) for number in numbers])}: the last one counts, and no text gets the others",
            "Compare with the vocab.txt of the original checkpoint.",
            where=f"vocab.txt {numbers[0]}",
            expected="each token once",
            actual=repr(token),
        )


def _unreachable_pieces(tokenizer: LoadedTokenizer, model: Any, entries: Mapping[str, int]) -> Iterator[Finding]:
    prefix = model.continuing_subword_prefix
    pieces = sum(token.startswith(_PREFIX) for token in entries)
    if prefix == _PREFIX or pieces < _PIECES:
        return
    yield Finding(
        "word-pieces-unreachable",
        "error",
        f"{tokenizer.file} has the continuing_subword_prefix {prefix!r}, and {pieces:,} entries that begin with "
        f"{_PREFIX!r}, which no text reaches: words that are no entry of their own become other pieces, or unknown",
        f'Set "continuing_subword_prefix": "##" in {tokenizer.file}, or copy the file of the original checkpoint.',
        where=f"{tokenizer.file} model.continuing_subword_prefix",
        expected=_PREFIX,
        actual=prefix,
    )


def _case(tokenizer: LoadedTokenizer, entries: Mapping[str, int]) -> Iterator[Finding]:
    """Whether texts keep their case, against whether the entries have any."""
    words = [token for token in entries if _WORD.fullmatch(token)]
    capital = [word for word in words if not word.islower()]
    if len(words) < _ENOUGH_WORDS:
        return
    if not capital:
        tried = [word.capitalize() for word in words[:_TRIED]]
        fault = "keeps the capitals of a text", "no entry of its vocabulary has any", "become unknown or other pieces"
    elif len(capital) > _CAPITALS * len(words):
        tried = capital[:: len(capital) // _TRIED][:_TRIED]
        fault = (
            "makes texts lower case",
            f"{len(capital):,} of the {len(words):,} words of its vocabulary have capitals",
            "are never reached",
        )
    else:
        return
    # In an uncased vocabulary the word in lower case is right; of a cased one that is the fault.
    right = {word: entries.get(word if capital else word.lower()) for word in tried}
    if any(tokenizer.encode_content(word).ids == [number] for word, number in right.items()):
        return
    right_case = "false" if capital else "true"
    yield Finding(
        "case-not-of-vocabulary",
        "warning",
        f"the tokenizer {fault[0]}, and {fault[1]}: words such as {tried[0]!r} {fault[2]}",
        f'Set "do_lower_case": {right_case} in tokenizer_config.json, and save the tokenizer again.',
        where="tokenizer_config.json do_lower_case",
        expected=right_case,
        actual="true" if capital else "false",
    )
