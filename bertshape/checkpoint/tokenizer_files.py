"""The small files that say how a checkpoint's tokenizer is set: facts, as AutoTokenizer reads them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.files import exists, read_optional_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class TokenizerFiles:
    """What stands beside the vocabulary.

    Attributes:
        folder: Folder of the tokenizer's files.
        config: Content of tokenizer_config.json; empty where there is none.
        special_tokens_map: Content of special_tokens_map.json; empty where there is none.
        added_tokens: Content of added_tokens.json, ids by token; empty where there is none.
        arguments: What whoever loads the tokenizer passes besides; it is in `config` already.
        error: Why one of the files cannot be read, where one cannot: then there is no tokenizer.
    """

    folder: Path
    config: Mapping[str, object]
    special_tokens_map: Mapping[str, object]
    added_tokens: Mapping[str, object]
    arguments: Mapping[str, object] = field(default_factory=dict)
    error: CheckpointError | None = None

    def given(self, arguments: Mapping[str, object]) -> TokenizerFiles:
        """The same for `AutoTokenizer.from_pretrained(folder, **arguments)`, whose arguments go over the files."""
        return replace(self, config=dict(self.config) | dict(arguments), arguments=arguments)

    def has(self, name: str) -> bool:
        """Whether a file of this name is there."""
        return exists(self.folder / name)

    def special_tokens(self) -> dict[str, str]:
        """Special tokens by role; both files may write a token as a string or as an object with its content."""
        tokens = {}
        for role, value in (dict(self.special_tokens_map) | dict(self.config)).items():
            content = value.get("content") if isinstance(value, dict) else value
            if role.endswith("_token") and isinstance(content, str):
                tokens[role] = content
        return tokens


def read_tokenizer_files(folder: Path) -> TokenizerFiles:
    """Read them; what cannot be read is said in the result, for the model has other parts."""
    names = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
    try:
        config, special_tokens_map, added_tokens = (read_optional_object(folder / name) for name in names)
    except CheckpointError as error:
        return TokenizerFiles(folder, {}, {}, {}, error=error)
    return TokenizerFiles(folder, config, special_tokens_map, added_tokens)
