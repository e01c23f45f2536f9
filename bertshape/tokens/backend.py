"""What a tokenizer must offer to be used here: the part of `tokenizers.Tokenizer` that every kind has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Encoded(Protocol):
    """One text, or pair, as tokens; `tokenizers.Encoding` is one."""

    @property
    def ids(self) -> Sequence[int]:
        """Ids, special tokens included."""

    @property
    def tokens(self) -> Sequence[str]:
        """The vocabulary's strings, or the surface text."""

    @property
    def type_ids(self) -> Sequence[int]:
        """Segment of each token."""

    @property
    def special_tokens_mask(self) -> Sequence[int]:
        """1 for those that the template put there."""

    @property
    def sequence_ids(self) -> Sequence[int | None]:
        """0 for the first text, 1 for the second, None for special tokens."""

    @property
    def word_ids(self) -> Sequence[int | None]:
        """Index of the word in its text; None for special tokens, and where the tokenizer knows no words."""

    @property
    def offsets(self) -> Sequence[tuple[int, int] | None]:
        """Span of characters in its text; None where the tokenizer gives none."""

    def __len__(self) -> int: ...


class Backend(Protocol):
    """A tokenizer; `tokenizers.Tokenizer` is one."""

    def encode(self, sequence: Any, pair: Any = None, *, add_special_tokens: bool = True) -> Encoded:
        """Encode one text, or pair, whole and without padding."""

    def encode_batch_fast(self, input: Any) -> Sequence[Encoded]:  # noqa: A002 - its name
        """Encode many; offsets may be missing."""

    def get_vocab(self, with_added_tokens: bool = True) -> dict[str, int]:
        """Ids by token."""

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:
        """Number of entries."""

    def token_to_id(self, token: str) -> int | None:
        """Id of a token; None where there is none."""

    def id_to_token(self, id: int) -> str | None:  # noqa: A002 - its name
        """The vocabulary's string of an id."""

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """Special tokens that the template adds to a text, or pair."""

    def to_str(self) -> str:
        """All of it as text; what gives the same text gives the same tokens."""
