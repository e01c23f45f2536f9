"""Which tokenizer class AutoTokenizer of transformers 5 takes for a folder."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.tokens.class_names import ALIASES, ALWAYS_REGISTERED, GENERIC, PYTHON_ONLY, REGISTERED
from bertshape.tokens.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = (GENERIC, "PythonBackend", "PreTrainedTokenizer")


@dataclass(frozen=True)
class Resolved:
    """The class.

    Attributes:
        name: Its name in transformers, without `Fast`; None where only AutoTokenizer itself can tell.
        custom_code: Whether the folder brings code of its own for it, which is not run.
    """

    name: str | None
    custom_code: bool = False

    @property
    def has_row(self) -> bool:
        """Whether the table says what the class does."""
        return self.name == GENERIC or self.name in CLASSES

    @property
    def is_python(self) -> bool:
        """Whether it is written in Python, and so ignores tokenizer.json."""
        return self.name in PYTHON_ONLY


def resolve_class(config: Mapping[str, object], tokenizer_config: Mapping[str, object]) -> Resolved:
    """Find the class by the rules of AutoTokenizer: the files' own name for it, else that of the model type.

    Args:
        config: Content of config.json.
        tokenizer_config: Content of tokenizer_config.json.
    """
    declared = tokenizer_config.get("tokenizer_class") or config.get("tokenizer_class")
    registered = REGISTERED.get(str(config.get("model_type")))
    auto_map = tokenizer_config.get("auto_map")
    custom = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else auto_map
    if declared is not None and not isinstance(declared, str):
        return Resolved(None)
    if custom is not None and registered is None and (declared is None or _known(declared) is None):
        return Resolved(None, custom_code=True)
    if declared is None:
        return Resolved(None if registered is None else ALIASES.get(registered, registered))
    known = _known(declared)
    if custom is None and (
        config.get("model_type") in ALWAYS_REGISTERED or declared.removesuffix("Fast") == registered
    ):
        return Resolved(ALIASES.get(registered or "", registered))
    # A model type of the plain class takes that, whatever the files name.
    if custom is None and registered == GENERIC and declared.removesuffix("Fast") != GENERIC:
        return Resolved(GENERIC)
    return Resolved(GENERIC if known in _PLAIN else known)


def _known(name: str) -> str | None:
    bare = name.removesuffix("Fast")
    canonical = ALIASES.get(bare, bare)
    known = canonical in CLASSES or canonical in PYTHON_ONLY or canonical in _PLAIN
    # With `Fast` it is a class of its own.
    return canonical if known and not (bare.startswith("DPR") and name != bare) else None


def installed_version() -> tuple[int, ...] | None:
    """Version of the transformers that is installed, which is not imported; None where there is none."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return None
    found = re.search(r'^__version__ = "(\d+)\.(\d+)', Path(spec.origin).read_text(encoding="utf-8"), re.MULTILINE)
    return None if found is None else (int(found[1]), int(found[2]))


def has_model_type(model_type: str) -> bool | None:
    """Whether the installed transformers, which is not imported, has a model type; None where there is none to ask."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return None
    tables = (
        Path(spec.origin).parent / "models" / "auto" / name for name in ("auto_mappings.py", "configuration_auto.py")
    )
    return any(f'("{model_type}", "' in table.read_text(encoding="utf-8") for table in tables if table.exists())


def holds_here(name: str) -> bool:
    """Whether the row of a class says what the installed transformers does; where none is installed, it counts."""
    row = CLASSES.get(name)
    return row is None or not row.since or _is_since(row.since)


def reads_pieces_as_here() -> bool:
    """Whether the installed transformers takes a model of SentencePiece without a table of its own."""
    return _is_since("5.20")


def _is_since(since: str) -> bool:
    version = installed_version()
    return version is None or version >= tuple(map(int, since.split(".")))
