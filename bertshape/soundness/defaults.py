"""What config.json leaves to transformers' defaults, and how messages speak of a value that stands nowhere."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from bertshape.predict.architecture import Dimensions
from bertshape.report.finding import Finding
from bertshape.wording import SHOWN, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

_ACTIVATIONS = frozenset(
    [
        "gelu",
        "gelu_10",
        "gelu_accurate",
        "gelu_fast",
        "gelu_new",
        "gelu_python",
        "gelu_python_tanh",
        "gelu_pytorch_tanh",
        "hardswish",
        "laplace",
        "leaky_relu",
        "linear",
        "mish",
        "prelu",
        "quick_gelu",
        "relu",
        "relu2",
        "relu6",
        "sigmoid",
        "silu",
        "sqrtsoftplus",
        "swish",
        "tanh",
        "xielu",
    ]
)
"""Those of transformers 5.24."""
_DTYPES = frozenset(
    ["auto", "bfloat16", "float16", "float32", "float64", "half", "float", "double", "float8_e4m3fn", "float8_e5m2"]
)

_NUMBER = re.compile(r"\w*(_prob|dropout|_eps)|initializer_range")
_NEVER_NULL = ("hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps")


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


def value_findings(checkpoint: Checkpoint, architecture: Architecture) -> Iterator[Finding]:
    """Names in config.json that transformers looks up and does not find.

    Args:
        checkpoint: For its config.json.
        architecture: Whose family says which keys name an activation.
    """
    config, forward = checkpoint.config, architecture.family.forward if architecture.family else {}
    named = {
        key: _ACTIVATIONS for key, default in forward.items() if isinstance(default, str) and default in _ACTIVATIONS
    }
    for key, known in (named | dict.fromkeys(("dtype", "torch_dtype"), _DTYPES)).items():
        value = config.get(key)
        if isinstance(value, str) and value.removeprefix("torch.") not in known:
            yield _unknown(checkpoint, key, value, "one of " + ", ".join(sorted(known)[:SHOWN]) + ", ...")
    for key, value in config.items() if architecture.family else ():
        if (isinstance(value, str) and _NUMBER.fullmatch(key)) or (value is None and key in _NEVER_NULL):
            yield _unknown(checkpoint, key, value, "a number")


def _unknown(checkpoint: Checkpoint, key: str, value: object, expected: str) -> Finding:
    shown = repr(value)[:50]
    return Finding(
        "config-value-unknown",
        "error",
        f"{key} is {shown} in {checkpoint.config_path}, which transformers refuses: it cannot load this folder",
        f"Restore {key} from the original checkpoint.",
        where=f"config.json {key}",
        expected=expected,
        actual=shown,
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
