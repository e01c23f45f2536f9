"""Load a checkpoint's tokenizer, stripped of the padding and truncation that its file may carry."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bertshape.errors import CheckpointError, one_line
from bertshape.files import check_file, exists

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tokenizers import Encoding, Tokenizer

    from bertshape.checkpoint.checkpoint import Checkpoint

MAX_BYTES = 128_000_000
"""Those of a million tokens have half of it; `tokenizers` reads the file whole, and takes some ten times its size."""
# No string of JSON can hold this: a quotation mark inside one is escaped.
_UNIGRAM_UNKNOWN = re.compile(rb'"unk_id":([0-9]+)')
# Tokenizer classes and model types whose vocab.txt is WordPiece with BERT's normalizer: no need of transformers.
_WORDPIECE_CLASSES = ("Bert", "DistilBert", "Electra", "MobileBert", "ConvBert", "Funnel", "SqueezeBert", "LayoutLM")
_WORDPIECE_MODELS = frozenset({"bert", "distilbert", "electra", "mobilebert", "convbert", "squeezebert", "nomic_bert"})
# Without one of these files transformers builds a blank tokenizer that maps every word to [UNK], silently.
_VOCABULARIES = (
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
)


Side = Literal["left", "right"]


@dataclass
class LoadedTokenizer:
    """A tokenizer and what a batch needs to know of it; it is a resource, and the one value that is not frozen.

    Attributes:
        backend: The `tokenizers` object, neither padding nor truncating by itself.
        pad_token: Token that fills short rows, or None where the tokenizer has none.
        pad_id: Its id.
        unk_token: Token that stands for what the vocabulary lacks, or None.
        unk_id: Its id. Unknown tokens are counted by it: the strings of an encoding may be the surface text.
        padding_side: `right` or `left`.
        truncation_side: `right` or `left`.
        file_max_length: Truncation length that tokenizer.json carries, or None.
        file: Name of the file it was read from.
    """

    backend: Tokenizer
    pad_token: str | None
    pad_id: int | None
    unk_token: str | None
    unk_id: int | None
    padding_side: Side
    truncation_side: Side
    file_max_length: int | None
    file: str

    def encode(self, text: str, pair: str | None = None) -> Encoding:
        """Encode one text, or pair.

        Raises:
            CheckpointError: The tokenizer's own file keeps it from doing so.
        """
        with self._blamed():
            return self.backend.encode(text, pair)

    def encode_batch(self, texts: Sequence[str | tuple[str, str]]) -> list[Encoding]:
        """Encode many texts, or pairs, in parallel and without offsets; errors are those of `encode`."""
        with self._blamed():
            return list(self.backend.encode_batch_fast(texts))

    def encode_content(self, text: str) -> Encoding:
        """Encode one text without special tokens; errors are those of `encode`."""
        with self._blamed():
            return self.backend.encode(text, add_special_tokens=False)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        # A file may be well formed and yet lack what its model needs, such as the token for unknown words.
        try:
            yield
        except Exception as error:  # tokenizers raises plain Exception
            raise CheckpointError(
                f"{self.file} cannot encode the text: {one_line(error)}",
                hint="Save the tokenizer again, or copy it from the original checkpoint.",
                code="tokenizer-invalid",
            ) from error

    def release(self) -> None:
        """Give its memory back; whoever opened it does so, after its last use."""
        del self.backend

    @property
    def vocabulary_size(self) -> int:
        """Number of entries, added tokens included."""
        return int(self.backend.get_vocab_size(with_added_tokens=True))


def load_tokenizer(checkpoint: Checkpoint) -> LoadedTokenizer:
    """Load the tokenizer of a checkpoint.

    tokenizer.json is read with `tokenizers` alone; a WordPiece vocab.txt too. Only other formats need transformers,
    which imports torch.

    Raises:
        CheckpointError: There is no tokenizer, or it is broken.
    """
    folder = checkpoint.tokenizer_folder
    backend, file = _load_backend(checkpoint, folder)
    truncation = backend.truncation
    backend.no_truncation()
    padding = backend.padding
    backend.no_padding()
    pad_token = checkpoint.special_tokens.get("pad_token") or (padding or {}).get("pad_token")
    if pad_token is None:
        pad_token = next((token for token in ("[PAD]", "<pad>") if backend.token_to_id(token) is not None), None)
    unk_token, unk_id = _unknown(checkpoint, backend)
    return LoadedTokenizer(
        backend=backend,
        pad_token=pad_token,
        pad_id=backend.token_to_id(pad_token) if pad_token is not None else None,
        unk_token=unk_token,
        unk_id=unk_id,
        padding_side=_side(checkpoint, "padding_side"),
        truncation_side=_side(checkpoint, "truncation_side"),
        file_max_length=truncation["max_length"] if truncation else None,
        file=file,
    )


def needs_conversion(checkpoint: Checkpoint) -> bool:
    """Whether only transformers, which imports torch, can read this tokenizer."""
    folder = checkpoint.tokenizer_folder
    own = exists(folder / "tokenizer.json") or (exists(folder / "vocab.txt") and _is_wordpiece(checkpoint))
    return not own and any(exists(folder / name) for name in _VOCABULARIES)


def _load_backend(checkpoint: Checkpoint, folder: Path) -> tuple[Tokenizer, str]:
    if exists(folder / "tokenizer.json"):
        return _load_tokenizer_json(folder / "tokenizer.json"), "tokenizer.json"
    if exists(folder / "vocab.txt") and _is_wordpiece(checkpoint):
        return _load_wordpiece(checkpoint, folder / "vocab.txt"), "vocab.txt"
    vocabulary = next((name for name in _VOCABULARIES if exists(folder / name)), None)
    if vocabulary is None:
        raise CheckpointError(
            f"there is no tokenizer in {checkpoint.name}: neither tokenizer.json nor a vocabulary file",
            hint="Save it into the folder: AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER).",
            code="tokenizer-missing",
        )
    return _convert_with_transformers(folder), vocabulary


def _load_tokenizer_json(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    check_file(path, MAX_BYTES, "a tokenizer")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception, for unreadable and for malformed files alike
        raise CheckpointError(
            f"{path} is not a tokenizer: {one_line(error)}", hint="Save the tokenizer again.", code="tokenizer-invalid"
        ) from error


def _is_wordpiece(checkpoint: Checkpoint) -> bool:
    declared = checkpoint.tokenizer_config.get("tokenizer_class")
    if isinstance(declared, str):
        return declared.removesuffix("Fast").removesuffix("Tokenizer") in _WORDPIECE_CLASSES
    return checkpoint.config.get("model_type") in _WORDPIECE_MODELS


def _load_wordpiece(checkpoint: Checkpoint, path: Path) -> Tokenizer:
    """Build BERT's tokenizer from vocab.txt, as the original release defines it (google-research/bert)."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

    check_file(path, MAX_BYTES, "a vocabulary")
    options, tokens = checkpoint.tokenizer_config, checkpoint.special_tokens
    unk, cls, sep = (tokens.get(f"{role}_token", f"[{role.upper()}]") for role in ("unk", "cls", "sep"))
    try:
        backend = Backend(models.WordPiece.from_file(str(path), unk_token=unk))
    except Exception as error:
        raise CheckpointError(
            f"{path} is not a vocabulary: {one_line(error)}", hint="Save the tokenizer again.", code="tokenizer-invalid"
        ) from error
    ids = {token: _token_id(backend, token, path) for token in (cls, sep)}
    strip_accents = options.get("strip_accents")
    backend.normalizer = normalizers.BertNormalizer(
        lowercase=options.get("do_lower_case", True) is not False,
        handle_chinese_chars=options.get("tokenize_chinese_chars", True) is not False,
        strip_accents=strip_accents if isinstance(strip_accents, bool) else None,
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.post_processor = processors.BertProcessing((sep, ids[sep]), (cls, ids[cls]))
    present = [token for token in ("[PAD]", unk, cls, sep, "[MASK]") if backend.token_to_id(token) is not None]
    backend.add_special_tokens(present)
    return backend


def _token_id(backend: Tokenizer, token: str, path: Path) -> int:
    token_id = backend.token_to_id(token)
    if token_id is None:
        raise CheckpointError(
            f"{path} lacks the special token {token}", hint="Save the tokenizer again.", code="tokenizer-invalid"
        )
    return token_id


def _convert_with_transformers(folder: Path) -> Tokenizer:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return tokenizer.backend_tokenizer
    except Exception as error:
        raise CheckpointError(
            f"transformers cannot convert the tokenizer in {folder}: {one_line(error)}",
            hint="Save it with AutoTokenizer, so that the folder has a tokenizer.json.",
            code="tokenizer-invalid",
        ) from error


def _unknown(checkpoint: Checkpoint, backend: Tokenizer) -> tuple[str | None, int | None]:
    """Token that stands for what the vocabulary lacks, and its id: the model's own, then that of the settings."""
    model = backend.model
    if type(model).__name__ == "Unigram":
        # It names an id, shown by its JSON alone. Parsing that of 250,000 tokens takes 0.3 s, searching it 0.02 s.
        found = _UNIGRAM_UNKNOWN.search(model.__getstate__())
        return (None, None) if found is None else (model.id_to_token(int(found[1])), int(found[1]))
    named = getattr(model, "unk_token", None)
    token = named if isinstance(named, str) else checkpoint.special_tokens.get("unk_token")
    return token, None if token is None else backend.token_to_id(token)


def _side(checkpoint: Checkpoint, field: str) -> Side:
    return "left" if checkpoint.tokenizer_config.get(field) == "left" else "right"
