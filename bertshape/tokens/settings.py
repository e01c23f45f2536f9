"""The arguments that `from_pretrained` of transformers 5 hands to a tokenizer class, from the files of a folder."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

from tokenizers import AddedToken

from bertshape.errors import one_line
from bertshape.tokens.classes import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bertshape.checkpoint.tokenizer_files import TokenizerFiles


Side = Literal["left", "right"]


class SettingsError(Exception):
    """Settings that transformers refuses."""


RISKY = frozenset(
    {
        "_json_padding",
        "_json_truncation",
        "_spm_precompiled_charsmap",
        "fast_tokenizer_files",
        "gguf_file",
        "init_inputs",
        "merges",
        "post_processor",
        "tokenizer_object",
        "tokenizer_padding",
        "tokenizer_truncation",
        "vocab",
    }
)
"""Names in tokenizer_config.json that transformers takes for arguments of another kind; no tool writes them there."""


def read_settings(files: TokenizerFiles, read_added: Callable[[], list[dict[str, Any]]] | None) -> dict[str, Any]:
    """Merge what the files say, as `PreTrainedTokenizerBase._from_pretrained` does.

    Args:
        files: The small files.
        read_added: Gives `added_tokens` of tokenizer.json; None where there is no tokenizer.json.

    Returns:
        The settings by name; `added_tokens_decoder` holds an `AddedToken` by id, special tokens are such or strings.

    Raises:
        SettingsError: They are declared in a way that transformers refuses.
    """
    try:
        return _read(files, read_added)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(one_line(error)) from error


def _read(files: TokenizerFiles, read_added: Callable[[], list[dict[str, Any]]] | None) -> dict[str, Any]:
    settings: dict[str, Any] = copy.deepcopy(dict(files.config))
    settings.pop("tokenizer_class", None)
    if read_added is not None:
        settings.pop("add_bos_token", None)
        settings.pop("add_eos_token", None)
    length = settings.get("model_max_length")
    if length is not None and not isinstance(length, int | float):
        raise SettingsError(f"model_max_length is {length!r}, expected a number")
    _rename_extra(settings)
    _collect_named(settings)
    decoder: dict[int, AddedToken] = {}
    if "added_tokens_decoder" in settings:
        for index, token in settings["added_tokens_decoder"].items():
            decoder[int(index)] = _declared_token(token)
    else:
        _merge_special_tokens_map(settings, files.special_tokens_map)
        _merge_added_tokens(settings, files.added_tokens, decoder)
        for token in read_added() if read_added is not None else ():
            decoder[token["id"]] = AddedToken(**{name: value for name, value in token.items() if name != "id"})
    settings["added_tokens_decoder"] = decoder
    settings = {name: _as_tokens(value) for name, value in settings.items()}
    by_content = {str(token): token for token in decoder.values()}
    for role in ROLES:
        if settings.get(role) is not None:
            settings[role] = by_content.get(str(settings[role]), settings[role])
    return settings


def side(settings: Mapping[str, Any], name: str, otherwise: Side = "right") -> Side:
    """Where to pad, or to cut.

    Raises:
        SettingsError: It is neither side.
    """
    said: Side = settings.get(name, otherwise)
    if said not in ("left", "right"):
        raise SettingsError(f"{name} is {said!r}, expected 'right' or 'left'")
    return said


def input_names(declared: Iterable[Any]) -> tuple[str, ...]:
    """What a tokenizer makes; transformers looks for names in whatever stands there."""
    return (declared,) if isinstance(declared, str) else tuple(name for name in declared if isinstance(name, str))


def special_roles(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Special tokens by role, those of a role of the checkpoint's own last.

    Raises:
        SettingsError: One is neither a string nor a token.
    """
    roles = {role: settings.get(role) for role in ROLES}
    own = {
        name: value
        for name, value in settings.items()
        if name.endswith("_token") and name not in ROLES and isinstance(value, str | AddedToken)
    }
    extra = settings.get("extra_special_tokens")
    own = (extra if isinstance(extra, dict) else {}) | own
    own |= settings.get("model_specific_special_tokens") or {}
    for role, value in (roles | own).items():
        if value is not None and not isinstance(value, str | AddedToken):
            raise SettingsError(f"{role} has to be a string or a token, and is {type(value).__name__}")
    return roles | own


def named_tokens(roles: Mapping[str, Any], settings: Mapping[str, Any], own: Iterable[str]) -> dict[str, str]:
    """Special tokens by role as a tokenizer names them.

    Args:
        roles: What was added.
        settings: The settings.
        own: Roles of the class; for one that no other class has, what was added may be another than what is named.

    Raises:
        SettingsError: One that no other class has is neither a string nor a token.
    """
    classes = {role: settings[role] for role in own if role not in ROLES}
    for role, token in classes.items():
        if not isinstance(token, str | AddedToken):
            raise SettingsError(f"{role} has to be a string or a token, and is {type(token).__name__}")
    named = dict(roles) | classes
    return {role: str(token) for role, token in named.items() if token is not None}


def extra_tokens(settings: Mapping[str, Any]) -> list[Any]:
    """Special tokens without a role.

    Raises:
        SettingsError: They are no list.
    """
    extra = settings.get("extra_special_tokens")
    if "extra_special_tokens" not in settings:
        extra = settings.get("additional_special_tokens")
    if extra is None or isinstance(extra, dict):
        return []
    if not isinstance(extra, list | tuple):
        raise SettingsError(f"extra_special_tokens has to be a list, and is {type(extra).__name__}")
    return list(extra)


def _rename_extra(settings: dict[str, Any]) -> None:
    if "additional_special_tokens" in settings and not settings.get("extra_special_tokens"):
        settings["extra_special_tokens"] = settings.pop("additional_special_tokens")


def _collect_named(settings: dict[str, Any]) -> None:
    """Gather tokens of a role of the checkpoint's own, such as `question_token`."""
    names = [name for name in settings if name.endswith("_token") and name not in ROLES]
    named = {name: settings.pop(name) for name in names if isinstance(settings[name], str)}
    if isinstance(settings.get("extra_special_tokens"), dict):
        named |= settings.pop("extra_special_tokens")
    if named:
        settings["model_specific_special_tokens"] = named


def _merge_special_tokens_map(settings: dict[str, Any], special_tokens_map: Mapping[str, Any]) -> None:
    for name, declared in special_tokens_map.items():
        value = declared
        if isinstance(value, dict) and name != "extra_special_tokens":
            value = AddedToken(**{key: flag for key, flag in value.items() if key != "special"}, special=True)
        elif isinstance(value, list) and name == "extra_special_tokens":
            existing = list(settings.get("extra_special_tokens") or [])
            for item in value:
                token = AddedToken(**item, special=True) if isinstance(item, dict) else item
                if token not in existing:
                    existing.append(token)
            value = existing
        settings[name] = value
    if special_tokens_map and isinstance(settings.get("extra_special_tokens"), dict):
        named = settings.pop("extra_special_tokens")
        settings["model_specific_special_tokens"] = (settings.get("model_specific_special_tokens") or {}) | named


def _merge_added_tokens(
    settings: Mapping[str, Any], added_tokens: Mapping[str, Any], decoder: dict[int, AddedToken]
) -> None:
    if not added_tokens:
        return
    special = {str(settings[role]) for role in ROLES if settings.get(role)}
    special.update(map(str, settings.get("extra_special_tokens") or []))
    for token, index in added_tokens.items():
        decoder[index] = AddedToken(
            token, rstrip=False, lstrip=False, normalized=token not in special, special=token in special
        )


def _declared_token(token: Any) -> AddedToken:
    if not isinstance(token, dict):
        raise SettingsError(f"a token in added_tokens_decoder is {type(token).__name__}, expected an object")
    return AddedToken(**token)


def _as_tokens(value: Any) -> Any:
    """Objects that say they are tokens, as tokens; inside lists and objects too."""
    if isinstance(value, dict):
        if value.get("__type") == "AddedToken":
            return AddedToken(**{key: flag for key, flag in value.items() if key != "__type"})
        return {key: _as_tokens(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_tokens(inner) for inner in value]
    return value
