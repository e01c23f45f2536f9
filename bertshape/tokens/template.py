"""Where the classes of transformers 5 put special tokens, and the post-processors that do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tokenizers import processors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Template:
    """Where special tokens go.

    Attributes:
        single: Pieces around one text `$A`, with the roles of tokens in braces and the type id after a colon.
        pair: Pieces around two texts `$A` and `$B`.
        roles: Roles of the tokens in it.
        ids: Ids that the class falls back to, in the order of the roles, where a token is set to null.
        null_is_unknown: Whether such a token gets the unknown token's id.
        kind: `pieces` for a list of pieces, `words` for a text that is split at blanks, `roberta` for
            `RobertaProcessing` with the settings trim_offsets and add_prefix_space, `bert` for `BertProcessing` with
            these ids, `albert` for names that stand in the pieces themselves, `splinter` for a question token and a
            full stop beside the first text of a pair, or beside the second where padding is on the left.
    """

    single: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("cls_token", "sep_token")
    ids: tuple[int | None, ...] = (None, None)
    kind: Literal["pieces", "words", "roberta", "bert", "albert", "splinter"] = "words"
    null_is_unknown: bool = False


def set_template(backend: Tokenizer, template: Template, settings: Mapping[str, Any], roles: Mapping[str, Any]) -> None:
    """Set the post-processor that a class sets.

    Args:
        backend: The tokenizer, its special tokens added.
        template: That of the class.
        settings: Settings of the class.
        roles: Special tokens by role, where they are added already.

    Raises:
        TypeError: A special token has no id.
        ValueError: One has a name that cannot stand in a template.
    """
    if template.kind == "roberta":
        cls, sep = _named(backend, template, settings, roles)
        backend.post_processor = processors.RobertaProcessing(
            sep, cls, settings["trim_offsets"], settings["add_prefix_space"]
        )
    elif template.kind == "bert":
        ids: Any = template.ids
        names: Any = [roles.get(role) and str(roles[role]) for role in template.roles]
        backend.post_processor = processors.BertProcessing((names[1], ids[1]), (names[0], ids[0]))
    elif template.kind == "splinter":
        _set_splinter(backend, settings, roles)
    else:
        tokens = {role: str(settings.get(role)) for role in template.roles}
        named = _named(backend, template, settings, roles)
        single, pair = ([piece.format(**tokens) for piece in side] for side in (template.single, template.pair))
        backend.post_processor = processors.TemplateProcessing(
            single=single if template.kind == "pieces" else " ".join(single),
            pair=pair if template.kind == "pieces" else " ".join(pair),
            special_tokens=named,
        )


def _set_splinter(backend: Tokenizer, settings: Mapping[str, Any], roles: Mapping[str, Any]) -> None:
    cls, sep, question = (settings.get(f"{role}_token") for role in ("cls", "sep", "question"))
    if cls is None or sep is None:
        return
    asked = f"{question} . "
    on_left = settings.get("padding_side") == "left"
    first, second = ("", asked) if on_left else (asked, "")
    names: list[Any] = [cls, sep, question, "."]
    backend.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {first}{sep}:0 $B:1 {second}{sep}:1",
        special_tokens=[(str(name), _token_id(backend, name, roles)) for name in names],
    )


def set_ends(
    backend: Tokenizer, settings: Mapping[str, Any], roles: Mapping[str, Any], own: Template | None = None
) -> None:
    """A template of nothing but the beginning and the end that `add_bos_token` and `add_eos_token` ask for.

    Args:
        backend: The tokenizer, its special tokens added.
        settings: Settings of the class.
        roles: Special tokens by role.
        own: The class's template; one class sets its own in this place too, with the question token that was added.
    """
    if own is not None and own.kind == "splinter":
        _set_splinter(backend, {**settings, **roles}, roles)
        return
    ends = {"bos": settings.get("add_bos_token", False), "eos": settings.get("add_eos_token", False)}
    tokens = {end: roles[f"{end}_token"] for end, wanted in ends.items() if wanted}
    tokens = {end: token for end, token in tokens.items() if token is not None}

    def around(text: str, type_id: int) -> list[str]:
        begin = [f"{tokens['bos']}:{type_id}"] if "bos" in tokens else []
        return [*begin, f"${text}:{type_id}", *([f"{tokens['eos']}:{type_id}"] if "eos" in tokens else [])]

    special_tokens: list[Any] = [(str(token), _token_id(backend, token, roles)) for token in tokens.values()]
    backend.post_processor = processors.TemplateProcessing(
        single=" ".join(around("A", 0)),
        pair=" ".join([*around("A", 0), *around("B", 1)]),
        special_tokens=special_tokens,
    )


def _named(backend: Tokenizer, template: Template, settings: Mapping[str, Any], roles: Mapping[str, Any]) -> list[Any]:
    """The tokens of a template, each with its id; without one the library refuses it."""
    if template.kind == "albert":
        names = (template.single[0].split(":")[0], template.single[-1].split(":")[0])
        found = [backend.token_to_id(str(settings.get(role))) for role in template.roles]
        return list(zip(names, found, strict=True))
    named = []
    for role, otherwise in zip(template.roles, template.ids, strict=True):
        token = settings.get(role)
        index = _token_id(backend, str(token) if template.null_is_unknown else token, roles)
        named.append((str(settings.get(role)), otherwise if index is None else index))
    return named


def _token_id(backend: Tokenizer, token: Any, roles: Mapping[str, Any]) -> int | None:
    """Id of a special token; that of the unknown token where it has none, as transformers gives it."""
    if token is None:
        return None
    unknown = roles.get("unk_token")
    found = backend.token_to_id(str(token))
    return backend.token_to_id(str(unknown)) if found is None and unknown is not None else found
