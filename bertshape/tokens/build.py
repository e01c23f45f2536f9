"""Build the tokenizer that a class of transformers 5 builds from a folder, with `tokenizers` alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Tokenizer, models

from bertshape.tokens.class_names import GENERIC
from bertshape.tokens.classes import CLASSES
from bertshape.tokens.risks import check_content, check_growth, check_template
from bertshape.tokens.sentence_piece import charsmap_of, read_pieces
from bertshape.tokens.settings import extra_tokens, input_names, named_tokens, read_settings, side, special_roles
from bertshape.tokens.template import set_ends, set_template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bertshape.checkpoint.tokenizer_files import TokenizerFiles
    from bertshape.tokens.backend import Backend
    from bertshape.tokens.classes import TokenizerClass
    from bertshape.tokens.settings import Side

_GENERIC_INPUTS = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class Built:
    """A tokenizer as transformers has it.

    Attributes:
        backend: The `tokenizers` object, neither padding nor truncating by itself.
        special_tokens: Special tokens by role.
        inputs: Tensors that it makes.
        padding_side: `right` or `left`.
        truncation_side: `right` or `left`.
        file_max_length: Truncation length that tokenizer.json carries, or None.
        grown: Tokens that got a new id because no file has an entry for them.
        document: tokenizer.json without its vocabulary; None where it was taken as it is, or is not there.
        shell: Its parts, as the library reads them, where there is a document.
        class_name: The class of transformers.
        last_id: Largest id of the vocabulary that was read here, added tokens not counted; None where none was.
    """

    backend: Backend
    special_tokens: Mapping[str, str]
    inputs: tuple[str, ...]
    padding_side: Side
    truncation_side: Side
    file_max_length: int | None
    grown: tuple[str, ...]
    document: Mapping[str, Any] | None
    shell: Tokenizer | None
    class_name: str
    last_id: int | None = None


@dataclass(frozen=True)
class _Start:
    """A tokenizer before its special tokens are added, and what its file says besides."""

    backend: Tokenizer
    truncation: Mapping[str, Any] | None
    padding: Mapping[str, Any] | None
    post_processor: Any
    document: Mapping[str, Any] | None = None
    shell: Tokenizer | None = None
    last_id: int | None = None


def build_tokenizer(name: str, files: TokenizerFiles) -> Built:
    """Build it.

    Args:
        name: A class that has a row in the table, or the plain one.
        files: The tokenizer's small files.

    Raises:
        Exception: The files hold what the class of transformers refuses too.
    """
    row = CLASSES.get(name)
    path = files.folder / "tokenizer.json"
    if not path.is_file():
        if row is None:
            raise ValueError(f"{GENERIC} needs a tokenizer.json")
        settings = read_settings(files, None)
        if row.files[0].endswith(".model"):
            return _finish(row, settings, _from_pieces(row, settings, files.folder))
        _fill(row, settings)
        return _finish(row, settings, _from_vocabulary(row, settings, files.folder))
    content = path.read_bytes()
    check_content(content)
    if row is None or row.from_file:
        backend = Tokenizer.from_buffer(content)
        settings = read_settings(files, lambda: _added_tokens(backend))
        if row is not None:
            _fill(row, settings)
        return _finish(row, settings, _Start(backend, backend.truncation, backend.padding, None))
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")
    added = document.get("added_tokens")
    if not isinstance(added, list) and "added_tokens_decoder" not in files.config:
        raise ValueError("it has no list of added_tokens")
    settings = read_settings(files, lambda: list(added or []))
    _fill(row, settings)
    return _finish(row, settings, _from_document(row, settings, document))


def _added_tokens(backend: Tokenizer) -> list[dict[str, Any]]:
    return [{"id": index, **token.__getstate__()} for index, token in backend.get_added_tokens_decoder().items()]


def _fill(row: TokenizerClass, settings: dict[str, Any]) -> None:
    """Add the defaults of a class to the settings, and wrap the tokens that it wraps."""
    for name, default in row.settings.items():
        settings[name] = default if name in row.fixed else settings.get(name, default)
    for role, default in row.special_tokens.items():
        token = settings.setdefault(role, default)
        stripped = row.stripped_mask and role == "mask_token"
        if isinstance(token, str) and (stripped or role in row.added):
            settings[role] = AddedToken(token, lstrip=stripped, rstrip=False)
    if row.extra_special_tokens is not None and settings.get("additional_special_tokens") is None:
        settings["additional_special_tokens"] = list(row.extra_special_tokens)


def _from_document(row: TokenizerClass, settings: Mapping[str, Any], document: dict[str, Any]) -> _Start:
    """The vocabulary of tokenizer.json in a model of the class's own."""
    shell = _read_shell(document)
    model = document.get("model", {})
    vocabulary, merges = _vocabulary(row, model.get("vocab")), None
    if vocabulary is None:
        raise ValueError("its model has no vocabulary")
    if "merges" in model and row.model == "BPE":
        merges = [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in model["merges"]]
    backend = _assemble(row, settings, vocabulary, merges, charsmap_of(document))
    light = {key: value for key, value in document.items() if key != "model"}
    light["model"] = {key: value for key, value in model.items() if key not in ("vocab", "merges")}
    last_id = max(vocabulary.values(), default=-1) if isinstance(vocabulary, dict) else len(vocabulary) - 1
    return _Start(backend, shell.truncation, shell.padding, shell.post_processor, light, shell, last_id)


def _from_vocabulary(row: TokenizerClass, settings: Mapping[str, Any], folder: Path) -> _Start:
    """The vocabulary files of releases before tokenizer.json."""
    paths = [str(folder / name) for name in row.files]
    backend = _assemble(row, settings, paths[0], paths[1] if len(paths) > 1 else None, None)
    return _Start(backend, None, None, None)


def _from_pieces(row: TokenizerClass, settings: dict[str, Any], folder: Path) -> _Start:
    """A vocabulary of SentencePiece, whose pieces that are never cut become added tokens."""
    pieces = read_pieces((folder / row.files[0]).read_bytes())
    if not pieces.unigram and row.model is None:
        raise ValueError(f"it holds a BPE model, and {row.name} takes a Unigram model alone")
    settings["additional_special_tokens"] = [
        AddedToken(token, normalized=False, special=special) for token, special in pieces.added
    ]
    settings["unk_id"] = pieces.unk_id
    _fill(row, settings)
    vocabulary = pieces.vocabulary if row.arrange is None else row.arrange(pieces.vocabulary, settings)
    backend = _assemble(row, settings, vocabulary, None, pieces.charsmap)
    return _Start(backend, None, None, None, last_id=len(vocabulary) - 1)


def _assemble(
    row: TokenizerClass, settings: Mapping[str, Any], vocabulary: Any, merges: Any, charsmap: bytes | None
) -> Tokenizer:
    backend = Tokenizer(_model(row, settings, vocabulary, merges))
    normalizer = row.normalizer(settings, charsmap)
    if normalizer is not None:
        backend.normalizer = normalizer
    backend.pre_tokenizer = row.pre_tokenizer(settings)
    if row.first_template is not None:
        set_template(backend, row.first_template, settings, {})
    return backend


def _model(row: TokenizerClass, settings: Mapping[str, Any], vocabulary: Any, merges: Any) -> Any:
    if row.make_model is not None:
        return row.make_model(vocabulary, merges, settings)
    unk_id = None if row.unk_id is None else row.unk_id(vocabulary, settings)
    return models.Unigram(vocabulary, unk_id=unk_id, byte_fallback=False)


def _read_shell(document: Mapping[str, Any]) -> Tokenizer:
    """All of a tokenizer.json but its vocabulary, which takes no time.

    Raises:
        Exception: A part of it is not valid.
    """
    model = document.get("model", {})
    kind = model.get("type")
    if kind is None:
        # Old files do not say what they hold; the library tries.
        return Tokenizer.from_str(json.dumps(document))
    empty: dict[str, Any] = {"vocab": {}}
    if kind == "Unigram":
        vocabulary, unk_id = model.get("vocab") or [], model.get("unk_id")
        if unk_id is not None and not 0 <= unk_id < len(vocabulary):
            raise ValueError(f"its unk_id is {unk_id}, and its vocabulary has {len(vocabulary)} entries")
        empty = {"vocab": [["a", 0.0]], "unk_id": None}
    elif kind == "BPE":
        empty = {"vocab": {}, "merges": []}
    return Tokenizer.from_str(json.dumps({**document, "model": {**model, **empty}, "added_tokens": []}))


def _vocabulary(row: TokenizerClass, vocabulary: Any) -> Any:
    """The vocabulary in the form that the class's kind of model takes, whatever kind the file has."""
    if not isinstance(vocabulary, list):
        return vocabulary
    if row.model in ("BPE", "WordPiece"):
        return {token[0] if isinstance(token, list) else token: index for index, token in enumerate(vocabulary)}
    return [tuple(item) if isinstance(item, list) else item for item in vocabulary]


def _finish(row: TokenizerClass | None, settings: dict[str, Any], start: _Start) -> Built:
    """What `TokenizersBackend.__init__` does, and the class after it."""
    backend = start.backend
    if start.truncation is not None:
        backend.enable_truncation(**start.truncation)  # It may refuse what the file says, as it does there.
        settings.setdefault("truncation_side", start.truncation["direction"])
    if start.padding is not None:
        settings.setdefault("pad_token", start.padding["pad_token"])
        settings.setdefault("padding_side", start.padding["direction"])
    backend.no_truncation()
    backend.no_padding()
    if start.post_processor is not None:
        backend.post_processor = start.post_processor
    check_growth(_state(backend.normalizer))
    check_template(_state(backend.post_processor))
    roles, extra = special_roles(settings), extra_tokens(settings)
    padding_side = side(settings, "padding_side", "right" if row is None else row.padding_side)
    truncation_side = side(settings, "truncation_side")
    backend.encode_special_tokens = settings.get("split_special_tokens", False)
    grown = _add_tokens(backend, settings["added_tokens_decoder"], roles, extra)
    ends_only = "add_bos_token" in settings or "add_eos_token" in settings or backend.post_processor is None
    if ends_only:
        set_ends(backend, settings, roles, row.template if row else None)
    if row is not None and row.template is not None:
        set_template(backend, row.template, settings, roles)
    if row is not None and row.late:
        _add_late(backend, [token for token in (*roles.values(), *extra) if token is not None])
        if ends_only:
            set_ends(backend, settings, roles)
    return Built(
        backend=backend,
        special_tokens=named_tokens(roles, settings, () if row is None else row.special_tokens),
        inputs=input_names(settings.get("model_input_names", _GENERIC_INPUTS if row is None else row.inputs)),
        padding_side=padding_side,
        truncation_side=truncation_side,
        file_max_length=None if start.truncation is None else start.truncation["max_length"],
        grown=grown,
        document=start.document,
        shell=start.shell,
        class_name=GENERIC if row is None else row.name,
        last_id=start.last_id,
    )


def _add_tokens(
    backend: Tokenizer, decoder: Mapping[int, AddedToken], roles: Mapping[str, Any], extra: Sequence[Any]
) -> tuple[str, ...]:
    """Add what the files declare and the vocabulary does not have as added tokens yet; tokens of a new id."""
    known = {repr(token) for token in backend.get_added_tokens_decoder().values()}
    tokens: list[Any] = [token for _, token in sorted(decoder.items()) if repr(token) not in known]
    present = {token.content for token in backend.get_added_tokens_decoder().values()} | set(map(str, tokens))
    # An extra token that is null is kept: the library refuses it, as there.
    named_so = (*(token for token in roles.values() if token is not None), *extra)
    # Each once; looking through the list for each of 200,000 took 40 s.
    tokens += dict.fromkeys(token for token in named_so if str(token) not in present)
    named = {str(token) for token in roles.values() if token}
    for index, token in enumerate(tokens):
        if isinstance(token, str):
            tokens[index] = AddedToken(token, special=True)
        elif isinstance(token, AddedToken) and not token.special and str(token) in named:
            token.special = True
    declared = set(map(str, decoder.values()))
    new = (str(token) for token in tokens if str(token) not in declared)
    grown = tuple(token for token in new if token and backend.token_to_id(token) is None)
    if tokens:
        backend.add_tokens(tokens)
    return grown


def _add_late(backend: Tokenizer, tokens: Sequence[Any]) -> None:
    backend.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) if isinstance(token, str) else token for token in tokens]
    )


def _state(part: Any) -> Any:
    """What a part of a tokenizer holds, as tokenizer.json has it."""
    return None if part is None else json.loads(part.__getstate__())
