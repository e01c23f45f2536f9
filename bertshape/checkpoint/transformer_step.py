"""What sentence-transformers' files say of the model itself: how texts get to it, and what is taken of its outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bertshape.checkpoint.small_files import SENTENCE_FILES
from bertshape.checkpoint.steps import REFUSED, TOKENS, invalid, read_size
from bertshape.files import read_optional_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_TASK = "feature-extraction"
_RENAMED = {"model_args": "model_kwargs", "tokenizer_args": "processor_kwargs", "config_args": "config_kwargs"}
_SETTINGS = ("model_kwargs", "processor_kwargs", "config_kwargs")
_KNOWN = frozenset(
    {
        *_RENAMED,
        *_SETTINGS,
        "backend",
        "cache_dir",
        "do_lower_case",
        "document_length",
        "max_seq_length",
        "modality_config",
        "module_output_name",
        "processing_kwargs",
        "query_expansion",
        "query_length",
        "tokenizer_name_or_path",
        "transformer_task",
        "unpad_inputs",
    }
)
_HUB = frozenset({"cache_dir", "local_files_only", "revision", "subfolder", "token", "trust_remote_code"})
"""Where to load from: sentence-transformers puts its own values in their place."""
_OF_MODEL = frozenset({"add_pooling_layer", "attn_implementation", "dtype", "low_cpu_mem_usage", "torch_dtype"})
"""Arguments of the model that change no token's vector, besides the dtype, which is followed."""
_OF_CALL = frozenset({"max_length", "pad_to_multiple_of", "padding", "return_tensors", "truncation", "verbose"})
_OUTPUTS = ("last_hidden_state", "pooler_output", "hidden_states")
_LONGEST_FIRST = (True, "longest_first", "only_first")
_NO_TRUNCATION = (False, None, "do_not_truncate")


@dataclass(frozen=True)
class TransformerStep:
    """What is said of the Transformer step.

    Attributes:
        max_seq_length: Tokens at which `encode` cuts, where it is said here.
        lower_case: Whether texts are made lower case before the tokenizer reads them.
        tokenizer_settings: What goes over tokenizer_config.json.
        config_settings: What goes over config.json.
        call_max_length: Tokens at which the tokenizer is asked to cut at each call, before any other limit.
        truncation: Whether it is asked to cut at all.
        pads_whole: Whether it is asked to pad to that limit.
        pad_to_multiple_of: What lengths are padded to a multiple of, where it is said.
        dtype: Dtype in which the model is loaded, where it is said.
        output: What is taken of the model's outputs: a name, and an index into what is a tuple.
        gives: Name of the feature that this becomes.
        problem: Why it cannot be followed; None where it can.
    """

    max_seq_length: int | None = None
    lower_case: bool = False
    tokenizer_settings: Mapping[str, object] = field(default_factory=dict)
    config_settings: Mapping[str, object] = field(default_factory=dict)
    call_max_length: int | None = None
    truncation: bool = True
    pads_whole: bool = False
    pad_to_multiple_of: int | None = None
    dtype: str | None = None
    output: tuple[str | int, ...] = ("last_hidden_state",)
    gives: str = TOKENS
    problem: str | None = None


def read_transformer_step(folder: Path) -> TransformerStep:
    """Read sentence_bert_config.json, or the file that has its place.

    Args:
        folder: Folder of the Transformer step.

    Raises:
        CheckpointError: The file is broken.
    """
    file, config = folder / SENTENCE_FILES[0], dict[str, Any]()
    for name in SENTENCE_FILES:
        config = read_optional_object(folder / name)
        if config:
            file = folder / name
            break
    settings = {name: _settings(file, config, name) for name in _SETTINGS}
    call = _call(file, config)
    output, gives, modality_problem = _modality(config)
    problems = (
        *_unknown(f"{file.name} has", config, _KNOWN, REFUSED),
        *_unknown("model_kwargs has", settings["model_kwargs"], _OF_MODEL, "bertshape does not follow"),
        *_unknown("processing_kwargs has", call, _OF_CALL, "bertshape does not follow"),
        *_other(config, call),
        *([modality_problem] if modality_problem else []),
    )
    return TransformerStep(
        max_seq_length=read_size(file, config, "max_seq_length"),
        lower_case=bool(config.get("do_lower_case")),
        tokenizer_settings=settings["processor_kwargs"],
        config_settings=settings["config_kwargs"],
        call_max_length=read_size(file, call, "max_length"),
        truncation=call.get("truncation", True) not in _NO_TRUNCATION,
        pads_whole=call.get("padding") == "max_length",
        pad_to_multiple_of=read_size(file, call, "pad_to_multiple_of"),
        dtype=_dtype(settings["model_kwargs"]),
        output=output,
        gives=gives,
        problem=next(iter(problems), None),
    )


def _settings(file: Path, config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Arguments that are handed on, under the name of version 6 or the one before; those on where to load left out."""
    old = next(key for key, new in _RENAMED.items() if new == name)
    value = config.get(old, config.get(name, {}))
    if not isinstance(value, dict):
        raise invalid(file, f"{name} is {value!r}, expected an object")
    return {key: item for key, item in value.items() if key not in _HUB}


def _call(file: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the tokenizer at each call."""
    given = config.get("processing_kwargs") or {}
    parts = [given.get(key, {}) for key in ("text", "common")] if isinstance(given, dict) else [given]
    if not all(isinstance(part, dict) for part in parts):
        raise invalid(file, f"processing_kwargs is {given!r}, expected an object of objects")
    return {key: value for part in parts for key, value in part.items()}


def _unknown(where: str, given: Iterable[str], known: frozenset[str], who: str) -> list[str]:
    return [f"{where} {key}, which {who}" for key in given if key not in known]


def _other(config: Mapping[str, Any], call: Mapping[str, Any]) -> list[str]:
    problems = []
    task = config.get("transformer_task", _TASK)
    if task != _TASK:
        problems.append(f"it runs the head for {task}, which bertshape does not follow")
    if config.get("tokenizer_name_or_path") is not None:
        problems.append(f"its tokenizer is that of {config['tokenizer_name_or_path']}")
    truncation = call.get("truncation", True)
    if truncation not in (*_LONGEST_FIRST, *_NO_TRUNCATION):
        problems.append(f"it cuts texts by truncation={truncation!r}, which bertshape does not follow")
    return problems


def _modality(config: Mapping[str, Any]) -> tuple[tuple[str | int, ...], str, str | None]:
    """What is taken of the model's outputs, the name that it gets, and why that cannot be followed."""
    output: tuple[str | int, ...] = ("last_hidden_state",)
    given, name = config.get("modality_config"), config.get("module_output_name")
    if given is None:
        return output, TOKENS, None
    text = given.get("text") if isinstance(given, dict) else None
    if not isinstance(name, str) or not isinstance(text, dict) or "message" in given:
        reason = "as chat messages" if isinstance(given, dict) and "message" in given else "by no modality of its own"
        return output, TOKENS, f"it takes texts {reason} (modality_config), which bertshape does not follow"
    method, path = text.get("method"), text.get("method_output_name")
    keys = (path,) if isinstance(path, str) else tuple(path) if isinstance(path, list) else ()
    problem = None
    if method != "forward":
        problem = f"it calls the model's {method}, which bertshape does not follow"
    elif not keys or keys[0] not in _OUTPUTS or len(keys) != 1 + (keys[0] == "hidden_states"):
        problem = f"it takes {path!r} of the model's outputs, which bertshape does not follow"
    return (keys if problem is None else output), name, problem


def _dtype(settings: Mapping[str, Any]) -> str | None:
    """Dtype by name; `auto`, which is what transformers does unasked, is none."""
    named = settings.get("dtype", settings.get("torch_dtype"))
    if not isinstance(named, str) or named == "auto":
        return None
    return named.removeprefix("torch.")
