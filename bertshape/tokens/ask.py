"""Ask transformers for a tokenizer that `tokenizers` alone cannot build as it does."""

from __future__ import annotations

import importlib.util
import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.errors import CheckpointError, one_line
from bertshape.tokens.build import Built
from bertshape.tokens.class_names import PYTHON_ONLY
from bertshape.tokens.lower_case import lower_case
from bertshape.tokens.settings import input_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertshape.checkpoint.tokenizer_files import TokenizerFiles
    from bertshape.tokens.backend import Backend, Encoded
    from bertshape.tokens.resolve import Resolved

_SENTENCE_PIECE = {"sentencepiece": "sentencepiece", "protobuf": "google.protobuf"}
_PACKAGES = ("emoji", "fugashi", "protobuf", "rjieba", "sacremoses", "sentencepiece", "unidic", "unidic_lite", "ipadic")


@dataclass(frozen=True)
class PlainEncoding:
    """What a tokenizer written in Python gives: neither words nor spans."""

    ids: Sequence[int]
    tokens: Sequence[str]
    type_ids: Sequence[int]
    special_tokens_mask: Sequence[int]
    sequence_ids: Sequence[int | None]
    word_ids: Sequence[int | None]
    offsets: Sequence[tuple[int, int] | None]

    def __len__(self) -> int:
        return len(self.ids)


class TransformersBackend:
    """A tokenizer of transformers, called as a person's own code calls it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, sequence: Any, pair: Any = None, *, add_special_tokens: bool = True) -> Encoded:
        """Encode one text, or pair."""
        pairs = None if pair is None else [pair]
        special: dict[str, Any] = {"add_special_tokens": add_special_tokens}
        if self._tokenizer.is_fast:
            encoded: Encoded = self._tokenizer([sequence], pairs, **special).encodings[0]
            return encoded
        asked = {"return_special_tokens_mask": True, "return_token_type_ids": True, "return_attention_mask": False}
        given = self._tokenizer([sequence], pairs, **asked, **special)
        first = len(self._tokenizer([sequence], add_special_tokens=False)["input_ids"][0])
        return self._plain(given, first)

    def lower_case(self) -> None:
        """Lower the case of every text first, as far as the class can, like sentence-transformers."""
        if self._tokenizer.is_fast:
            lower_case(self._tokenizer.backend_tokenizer)
        else:
            self._tokenizer.do_lower_case = True

    def encode_batch_fast(self, input: Any) -> list[Encoded]:  # noqa: A002 - as tokenizers
        """Encode many."""
        return [self.encode(*(text if isinstance(text, tuple) else (text,))) for text in input]

    def get_vocab(self, with_added_tokens: bool = True) -> dict[str, int]:  # noqa: ARG002 - as tokenizers
        """Ids by token; those added are always among them."""
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        return vocabulary

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:
        """Number of entries."""
        return len(self._tokenizer) if with_added_tokens else int(self._tokenizer.vocab_size)

    def token_to_id(self, token: str) -> int | None:
        """Id of a token; None where there is none."""
        return self.get_vocab().get(token)

    def id_to_token(self, id: int) -> str | None:  # noqa: A002 - as tokenizers
        """The vocabulary's string of an id."""
        token = self._tokenizer.convert_ids_to_tokens(id)
        return None if token is None else str(token)

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """Special tokens that it adds."""
        return int(self._tokenizer.num_special_tokens_to_add(pair=is_pair))

    def to_str(self) -> str:
        """Class, vocabulary and special tokens."""
        named = self._tokenizer.special_tokens_map
        return json.dumps([type(self._tokenizer).__name__, self.get_vocab(), named], sort_keys=True)

    def _plain(self, given: Any, first: int) -> PlainEncoding:
        ids = list(map(int, given["input_ids"][0]))
        special = list(map(int, given["special_tokens_mask"][0]))
        if len(special) != len(ids):
            special = self._tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True)
        sequence_ids: list[int | None] = []
        seen = 0
        for flag in special:
            sequence_ids.append(None if flag else int(seen >= first))
            seen += not flag
        types = given.get("token_type_ids")
        nothing: list[Any] = [None] * len(ids)
        tokens = [str(token) for token in self._tokenizer.convert_ids_to_tokens(ids)]
        type_ids = [0] * len(ids) if types is None else list(map(int, types[0]))
        return PlainEncoding(ids, tokens, type_ids, special, sequence_ids, nothing, nothing)


def has_transformers() -> bool:
    """Whether transformers is installed; it is not imported."""
    return importlib.util.find_spec("transformers") is not None


def ask_transformers(resolved: Resolved, files: TokenizerFiles, where: str) -> Built:
    """Load the tokenizer as `AutoTokenizer.from_pretrained` does; no code of the folder runs.

    Args:
        resolved: Its class, where that is known; the class alone is imported then, which needs no torch.
        files: The tokenizer's small files.
        where: The folder, for messages.

    Raises:
        CheckpointError: It cannot, or needs a package that is not there.
    """
    _need_packages(resolved, files, where)
    with _quiet():
        import transformers  # 1 s; with AutoTokenizer, which imports torch, 4 s.

        try:
            loader = transformers.AutoTokenizer if resolved.name is None else getattr(transformers, resolved.name)
            tokenizer = loader.from_pretrained(
                files.folder, **{**files.arguments, "local_files_only": True, "trust_remote_code": False}
            )
        except Exception as error:
            raise _translate(error, resolved, where) from error
    return Built(
        backend=_backend(tokenizer, transformers.TokenizersBackend),
        special_tokens=dict(tokenizer.special_tokens_map),
        inputs=input_names(tokenizer.model_input_names),
        padding_side="left" if tokenizer.padding_side == "left" else "right",
        truncation_side="left" if tokenizer.truncation_side == "left" else "right",
        file_max_length=None,
        grown=(),
        document=None,
        shell=None,
        class_name=type(tokenizer).__name__,
    )


def _backend(tokenizer: Any, rust_backed: Any) -> Backend:
    """Its Rust part where calling that is the same as calling it, which is far faster."""
    kind = type(tokenizer)
    if not isinstance(tokenizer, rust_backed) or any(
        getattr(kind, name) is not getattr(rust_backed, name) for name in ("__call__", "_encode_plus")
    ):
        return TransformersBackend(tokenizer)
    backend: Any = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return backend  # type: ignore[no-any-return]


def _need_packages(resolved: Resolved, files: TokenizerFiles, where: str) -> None:
    """Name what is missing before transformers tries something else and names that."""
    reads_pieces = not files.has("tokenizer.json") or resolved.is_python
    if not reads_pieces or not any(path.suffix == ".model" for path in files.folder.iterdir()):
        return
    missing = [name for name, module in _SENTENCE_PIECE.items() if not _is_there(module)]
    if missing:
        raise _package_error(missing, resolved, where)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # The package around it is not there.
        return False


def _translate(error: Exception, resolved: Resolved, where: str) -> CheckpointError:
    text = str(error).lower()
    missing = (
        [name for name in _PACKAGES if name in text] if isinstance(error, ImportError) or "install" in text else []
    )
    own = PYTHON_ONLY.get(resolved.name or "")
    if own and not _is_there(own):
        missing = [own]
    if missing:
        return _package_error(missing[:2], resolved, where)
    return CheckpointError(
        f"transformers cannot load the tokenizer of {where}: {one_line(error)}",
        hint="Save it again: AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER).",
        code="tokenizer-invalid",
    )


def _package_error(missing: Sequence[str], resolved: Resolved, where: str) -> CheckpointError:
    names = " and ".join(missing)
    return CheckpointError(
        f"the tokenizer of {where} ({resolved.name or 'of a class that only transformers knows'}) needs {names}, "
        f"which {'is' if len(missing) == 1 else 'are'} not installed",
        hint=f"pip install {' '.join(missing)}",
        code="tokenizer-package-missing",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notices of transformers, which are for those who call it themselves."""
    import logging  # 2 ms, which a tokenizer of `tokenizers` does without.

    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
