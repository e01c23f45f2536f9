"""Load a checkpoint's tokenizer: the one that `AutoTokenizer.from_pretrained` gives, without padding or truncation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bertshape.errors import CheckpointError
from bertshape.files import check_file
from bertshape.tokens.ask import TransformersBackend, ask_transformers, has_transformers
from bertshape.tokens.build import build_tokenizer
from bertshape.tokens.class_names import GENERIC, PYTHON_ONLY
from bertshape.tokens.classes import CLASSES
from bertshape.tokens.differences import find_differences
from bertshape.tokens.lower_case import lower_case
from bertshape.tokens.panics import blamed
from bertshape.tokens.resolve import holds_here, reads_pieces_as_here, resolve_class
from bertshape.tokens.risks import check_content
from bertshape.tokens.settings import RISKY, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.tokenizer_files import TokenizerFiles
    from bertshape.tokens.backend import Backend, Encoded
    from bertshape.tokens.build import Built
    from bertshape.tokens.differences import Difference
    from bertshape.tokens.resolve import Resolved
    from bertshape.tokens.settings import Side

MAX_BYTES = 128_000_000
"""Those of a million tokens have half of it; it is read whole, and takes some ten times its size."""
# No string of JSON can hold this: a quotation mark inside one is escaped.
_UNIGRAM_UNKNOWN = re.compile(rb'"unk_id":([0-9]+)')
_VOCABULARIES = (
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
)
_OTHER_VOCABULARIES = ("tekken.json", "tiktoken.model", "tokenizer.model")
"""What transformers reads before the vocabulary of the class, where there is no tokenizer.json."""


@dataclass
class LoadedTokenizer:
    """A tokenizer and what a batch needs to know of it; it is a resource, and the one value that is not frozen.

    Attributes:
        backend: What encodes, neither padding nor truncating by itself.
        special_tokens: Special tokens by role, such as `pad_token`, as transformers has them.
        pad_token: Token that fills short rows, or None where the tokenizer has none.
        pad_id: Its id.
        unk_token: Token that stands for what the vocabulary lacks, or None.
        unk_id: Its id. Unknown tokens are counted by it: the strings of an encoding may be the surface text.
        padding_side: `right` or `left`.
        truncation_side: `right` or `left`.
        inputs: Names of the tensors that it makes, such as `token_type_ids`.
        file_max_length: Truncation length that tokenizer.json carries, or None.
        file: Name of the file it was read from.
        class_name: The class of transformers that it is an instance of; None where tokenizer.json was taken because
            nobody could be asked.
        added: Tokens that no file has an entry for, and that transformers adds with new ids.
        differences: Settings because of which readers of tokenizer.json alone give other tokens.
        not_asked: Why transformers was not asked although its class may do something else; empty where it was, or
            need not be.
        last_id: Largest id of the vocabulary, added tokens not counted, where it is known without looking.
    """

    backend: Backend
    special_tokens: Mapping[str, str]
    pad_token: str | None
    pad_id: int | None
    unk_token: str | None
    unk_id: int | None
    padding_side: Side
    truncation_side: Side
    inputs: tuple[str, ...]
    file_max_length: int | None
    file: str
    class_name: str | None = None
    added: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = field(default=(), repr=False)
    not_asked: str = ""
    last_id: int | None = None

    def encode(self, text: str, pair: str | None = None) -> Encoded:
        """Encode one text, or pair.

        Raises:
            CheckpointError: The tokenizer's own file keeps it from doing so.
        """
        with blamed(f"{self.file} cannot encode the text"):
            return self.backend.encode(text, pair)

    def encode_batch(self, texts: Sequence[str | tuple[str, str]]) -> list[Encoded]:
        """Encode many texts, or pairs, in parallel and without offsets; errors are those of `encode`."""
        with blamed(f"{self.file} cannot encode the text"):
            return list(self.backend.encode_batch_fast(texts))

    def encode_content(self, text: str) -> Encoded:
        """Encode one text without special tokens; errors are those of `encode`."""
        with blamed(f"{self.file} cannot encode the text"):
            return self.backend.encode(text, add_special_tokens=False)

    def string_of(self, token_id: int) -> str | None:
        """The vocabulary's own string of an id."""
        return self.backend.id_to_token(token_id) if token_id < 2**32 else None

    def lower_case(self) -> None:
        """Lower the case of every text before anything else is done with it; the tokenizer is changed."""
        if isinstance(self.backend, TransformersBackend):
            self.backend.lower_case()
        else:
            lower_case(self.backend)

    def release(self) -> None:
        """Give its memory back; whoever opened it does so, after its last use."""
        del self.backend

    @property
    def is_python(self) -> bool:
        """Whether it is written in Python, and so cuts pairs by a rule of its own."""
        return self.class_name in PYTHON_ONLY

    @property
    def vocabulary_size(self) -> int:
        """Number of entries, added tokens included."""
        return int(self.backend.get_vocab_size(with_added_tokens=True))

    @property
    def largest_id(self) -> int:
        """Largest id of all entries, added tokens included."""
        added: Any = getattr(self.backend, "get_added_tokens_decoder", None)
        if self.last_id is None or added is None:
            return max(self.backend.get_vocab().values(), default=-1)
        largest: int = max((self.last_id, *added()))
        return largest


def load_tokenizer(checkpoint: Checkpoint) -> LoadedTokenizer:
    """Load the tokenizer of a checkpoint.

    Classes that have a row in `tokens/classes.py` are built with `tokenizers` alone, as transformers 5 builds them. For
    others transformers is asked; where it is not installed, tokenizer.json is taken as it is.

    Raises:
        CheckpointError: There is no tokenizer, it is broken, or it needs a package that is not installed.
    """
    files, name = checkpoint.tokenizer_files, checkpoint.name
    if files.error is not None:
        raise files.error
    resolved = resolve_class(checkpoint.config, files.config)
    file = _vocabulary_file(files, resolved, name)
    if file in ("tokenizer.json", *_VOCABULARIES):
        check_file(files.folder / file, MAX_BYTES, "a tokenizer")
    what = "a tokenizer" if file == "tokenizer.json" else "a vocabulary"
    not_asked = _why_not_asked(resolved, files)
    again = "Save the tokenizer again; if a newer tokenizers wrote it, install that: pip install -U tokenizers."
    with blamed(f"{files.folder / file} is not {what}", again):
        try:
            built, differences = _load(resolved, files, name, not_asked)
        except SettingsError as error:
            raise CheckpointError(
                f"the tokenizer's settings in {name} (tokenizer_config.json, special_tokens_map.json): {error}; "
                "transformers refuses them too",
                hint="Correct the file, or save the tokenizer again.",
                code="tokenizer-settings-invalid",
            ) from error
        unk_token, unk_id = _unknown(built)
    pad_token = built.special_tokens.get("pad_token")
    return LoadedTokenizer(
        backend=built.backend,
        special_tokens=built.special_tokens,
        pad_token=pad_token,
        pad_id=built.backend.token_to_id(pad_token) if pad_token is not None else None,
        unk_token=unk_token,
        unk_id=unk_id,
        padding_side=built.padding_side,
        truncation_side=built.truncation_side,
        inputs=built.inputs,
        file_max_length=built.file_max_length,
        file=file,
        class_name=None if not_asked else built.class_name,
        added=built.grown,
        differences=differences,
        not_asked=not_asked,
        last_id=built.last_id,
    )


def _load(resolved: Resolved, files: TokenizerFiles, name: str, not_asked: str) -> tuple[Built, tuple[Difference, ...]]:

    if not_asked:
        return build_tokenizer(GENERIC, files), ()
    if not _is_in_table(resolved, files):
        if files.has("tokenizer.json"):
            check_content((files.folder / "tokenizer.json").read_bytes())
        return ask_transformers(resolved, files, name), ()
    assert resolved.name is not None
    built = build_tokenizer(resolved.name, files)
    if built.document is None:
        return built, ()
    return built, find_differences(built, files.folder / "tokenizer.json")


def _is_in_table(resolved: Resolved, files: TokenizerFiles) -> bool:
    """Whether the table says what transformers does with this folder."""
    if not resolved.has_row or resolved.name is None or RISKY & files.config.keys() or not holds_here(resolved.name):
        return False
    if files.has("tokenizer.json"):
        return True
    row = CLASSES.get(resolved.name)
    if row is None or not all(map(files.has, row.files)) or any(map(files.has, _OTHER_VOCABULARIES)):
        return False
    return not row.files[0].endswith(".model") or (not row.from_file and reads_pieces_as_here())


def _why_not_asked(resolved: Resolved, files: TokenizerFiles) -> str:
    """Why tokenizer.json is taken as it is, where the class is not in the table and transformers cannot be asked."""
    if _is_in_table(resolved, files) or not files.has("tokenizer.json") or resolved.is_python:
        return ""
    if resolved.custom_code:
        return "the folder brings a tokenizer class of its own, whose code is not run"
    return "" if has_transformers() else "transformers is not installed"


def _vocabulary_file(files: TokenizerFiles, resolved: Resolved, name: str) -> str:
    """Name of the file that the class reads its vocabulary from.

    Raises:
        CheckpointError: There is none; transformers would build a blank tokenizer that knows no word, silently.
    """
    if files.has("tokenizer.json") and not resolved.is_python:
        return "tokenizer.json"
    present = [file for file in _VOCABULARIES if files.has(file)]
    row = CLASSES.get(resolved.name or "")
    if row is not None and not files.has(row.files[0]) and "tokenizer.model" not in present:
        if present:
            raise _wrong_vocabulary(row.name, row.files, present[0], name)
        present = []
    lacking = [file for file in row.files[1:] if not files.has(file)] if row is not None and present else []
    if row is not None and lacking and "tokenizer.model" not in present:
        raise CheckpointError(
            f"{row.name} reads {' and '.join(row.files)}, and {name} lacks {lacking[0]}: transformers refuses it",
            hint=f"Copy {lacking[0]} or tokenizer.json from the original checkpoint.",
            code="tokenizer-missing",
        )
    if not present and not resolved.is_python:
        raise CheckpointError(
            f"there is no tokenizer in {name}: neither tokenizer.json nor a vocabulary file",
            hint="Save it into the folder: AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER).",
            code="tokenizer-missing",
        )
    settings_file = "tokenizer_config.json" if files.has("tokenizer_config.json") else "config.json"
    own = [file for file in (row.files if row else ()) if files.has(file)]
    return (own or present or [settings_file])[0]


def _wrong_vocabulary(class_name: str, wanted: tuple[str, ...], present: str, name: str) -> CheckpointError:
    """The folder has the vocabulary of another class."""
    fitting = {"vocab.txt": "BertTokenizer", "vocab.json": "RobertaTokenizer"}.get(present)
    hint = f"Copy {wanted[0]} or tokenizer.json from the original checkpoint."
    if fitting is not None and fitting != class_name:
        hint = f'If {present} is the right one, set "tokenizer_class": "{fitting}" in tokenizer_config.json.'
    return CheckpointError(
        f"{class_name} reads tokenizer.json or {' and '.join(wanted)}, and {name} has only {present}: transformers "
        "would build a tokenizer that knows no word, silently",
        hint=hint,
        code="tokenizer-missing",
    )


def _unknown(built: Built) -> tuple[str | None, int | None]:
    """Token that stands for what the vocabulary lacks, and its id: the model's own, then that of the settings."""
    backend, named = built.backend, built.special_tokens.get("unk_token")
    model: Any = getattr(backend, "model", None)
    if type(model).__name__ == "Unigram":
        # It names an id, shown by its JSON alone. Parsing that of 250,000 tokens takes 0.3 s, searching it 0.02 s.
        found = _UNIGRAM_UNKNOWN.search(model.__getstate__())
        return (None, None) if found is None else (backend.id_to_token(int(found[1])), int(found[1]))
    own = getattr(model, "unk_token", None)
    token = own if isinstance(own, str) else named
    return token, None if token is None else backend.token_to_id(token)
