"""What config.json leaves to transformers' defaults, and how messages speak of a value that stands nowhere."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from bertshape.predict.architecture import Dimensions
from bertshape.report.finding import Finding
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture


def default_findings(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Finding]:
    """List the sizes and settings that transformers fills in, for it says nothing of them.

    Args:
        checkpoint: For its config.json.
        architecture: What it describes.
    """
    filled = _filled(checkpoint, architecture)
    if not filled:
        return
    named = ", ".join(f"{key} {value}" for key, value in filled.items())
    yield Finding(
        "config-defaults",
        "note",
        f"{checkpoint.config_path} says nothing of {counted(len(filled), 'key')}, and transformers takes "
        f"the defaults of {architecture.model_type}: {named}",
        where=f"config.json {next(iter(filled))}",
        actual="none",
    )


def says(checkpoint: Checkpoint, architecture: Architecture, symbol: str, value: object) -> str:
    """That config.json gives a dimension a value, or leaves it to a default."""
    if {architecture.config_key(symbol), symbol} & checkpoint.config.keys():
        return f"{checkpoint.config_path} says {value}"
    return f"{checkpoint.config_path} does not say it, and the default of {architecture.model_type} is {value}"


def _filled(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, object]:
    """Keys that shape the model or its numbers, absent, whose default does something."""
    family, config = architecture.family, checkpoint.config
    if family is None:
        return {}
    sizes = {architecture.config_key(field.name): field.name for field in fields(Dimensions)}
    defaults = {key: value for key, value in family.defaults.items() if key in sizes}
    defaults |= {key: value for key, value in family.forward.items() if not isinstance(value, bool)}
    return {
        key: value
        for key, value in defaults.items()
        if value and key not in config and sizes.get(key, key) not in config and not isinstance(value, list)
    }
