"""Where the readers of a tokenizer part: `tokenizers` alone follows tokenizer.json, transformers its own class.

Parts are compared as data first, which takes no time. Only where they differ is the file loaded a second time, and
texts that show such differences are encoded both ways: parts that are written differently may do the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from bertshape.tokens.panics import is_panic
from bertshape.tokens.risks import check_growth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bertshape.tokens.backend import Encoded
    from bertshape.tokens.build import Built

_PROBES = (
    "Hello World, it's 2024: unbelievable!",
    "ÀÉÎõü ÅNGSTRÖM naïve Straße e\u0301 İstanbul ﬁne ½ ＡＢＣ",
    "中文 字符abc東京 한국어 ไทย שלום",
    "  two  blanks\tand\nlines \u00a0 ``quoted'' ",
    "x" * 101,
    "🙂👩‍👩‍👧 \u200b\u00ad\x01",
)
_BERT_SETTINGS = {
    "lowercase": "do_lower_case",
    "strip_accents": "strip_accents",
    "handle_chinese_chars": "tokenize_chinese_chars",
    "clean_text": "clean_text",
}
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


@dataclass(frozen=True)
class Difference:
    """One setting that parts the readers.

    Attributes:
        setting: Its name in tokenizer_config.json where it has one there, else the part of tokenizer.json.
        file: What tokenizer.json says.
        transformers: What transformers does.
        spans_only: Whether it changes the spans of tokens alone, not the tokens.
    """

    setting: str
    file: str
    transformers: str
    spans_only: bool = False


def find_differences(built: Built, path: Path) -> tuple[Difference, ...]:
    """Compare the tokenizer that transformers builds with tokenizer.json as it lies there.

    Args:
        built: What transformers builds.
        path: tokenizer.json.
    """
    if built.document is None or built.shell is None:
        return ()
    found = list(_differences(built, built.document, built.shell))
    if not found:
        return ()
    try:
        check_growth(_data(built.shell.normalizer))
    except ValueError:
        return tuple(found)  # Nobody should encode anything with it.
    raw = Tokenizer.from_file(str(path))
    raw.no_truncation()
    raw.no_padding()
    changed, spans = _probe(raw, built)
    if not changed and not spans:
        return ()
    return tuple(Difference(item.setting, item.file, item.transformers, not changed) for item in found)


def _differences(built: Built, document: Mapping[str, Any], shell: Tokenizer) -> Iterator[Difference]:
    backend: Any = built.backend
    yield from _model_differences(document.get("model", {}), backend.model)
    file, ours = _data(shell.normalizer), _data(backend.normalizer)
    if file != ours:
        yield from _normalizer_differences(file, ours)
    for part in ("pre_tokenizer", "post_processor"):
        file, ours = _data(getattr(shell, part)), _data(getattr(backend, part))
        if file != ours:
            yield from _part_differences(part, file, ours)
    yield from _added_differences(document.get("added_tokens", []), backend.get_added_tokens_decoder())


def _data(part: Any) -> Any:
    return None if part is None else json.loads(part.__getstate__())


def _model_differences(file: Mapping[str, Any], model: Any) -> Iterator[Difference]:
    kind = type(model).__name__
    if file.get("type", kind) != kind:
        yield Difference("model", str(file["type"]), kind)
        return
    for name in ("unk_token", "continuing_subword_prefix", "end_of_word_suffix", "max_input_chars_per_word"):
        ours, theirs = getattr(model, name, None), file.get(name)
        if (ours or None) != (theirs or None):
            yield Difference(f"model.{name}", _short(theirs), _short(ours))
    for name in ("fuse_unk", "byte_fallback", "ignore_merges", "dropout"):
        ours, theirs = getattr(model, name, None), file.get(name)
        if (ours or None) != (theirs or None):
            yield Difference(f"model.{name}", _short(theirs), _short(ours))


def _normalizer_differences(file: Any, ours: Any) -> Iterator[Difference]:
    if not (isinstance(file, dict) and isinstance(ours, dict) and file["type"] == ours["type"] == "BertNormalizer"):
        yield Difference("normalizer", _kinds(file), _kinds(ours))
        return
    for name, setting in _BERT_SETTINGS.items():
        if file[name] != ours[name]:
            yield Difference(setting, _short(file[name]), _short(ours[name]))


def _part_differences(part: str, file: Any, ours: Any) -> Iterator[Difference]:
    same_kind = isinstance(file, dict) and isinstance(ours, dict) and file["type"] == ours["type"]
    names = [name for name in ("add_prefix_space", "trim_offsets", "prepend_scheme", "cls", "sep") if same_kind]
    known = [name for name in names if file.get(name) != ours.get(name)]
    for name in known:
        setting = {"cls": "cls_token", "sep": "sep_token", "prepend_scheme": "add_prefix_space"}.get(name, name)
        yield Difference(setting, _short(file.get(name)), _short(ours.get(name)))
    if not known:
        yield Difference(part, _template(file), _template(ours))


def _added_differences(file: list[Mapping[str, Any]], ours: Mapping[int, Any]) -> Iterator[Difference]:
    theirs = {token["content"]: token for token in file}
    own = {token.content: (index, token) for index, token in ours.items()}
    for content in [*theirs, *(content for content in own if content not in theirs)]:
        before, after = theirs.get(content), own.get(content)
        if before is None or after is None:
            yield Difference(
                f"added token {content!r}",
                "absent" if before is None else "an added token",
                "absent" if after is None else f"id {after[0]}",
            )
        elif before["id"] != after[0]:
            yield Difference(f"added token {content!r}", f"id {before['id']}", f"id {after[0]}")
        else:
            for flag in _FLAGS:
                if before[flag] != getattr(after[1], flag):
                    yield Difference(
                        f"added token {content!r}, {flag}", _short(before[flag]), _short(getattr(after[1], flag))
                    )


def _probe(raw: Tokenizer, built: Built) -> tuple[bool, bool]:
    """Whether any probe has other tokens, and whether any has other spans."""
    added = [token.content for token in raw.get_added_tokens_decoder().values()]
    added += [token.content for token in built.backend.get_added_tokens_decoder().values()]  # type: ignore[attr-defined]
    around = " ".join(f"a {token} b{token.upper()}c" for token in dict.fromkeys(added[:100]))
    texts: list[str | tuple[str, str]] = [*_PROBES, around, (_PROBES[0], "a second text")]
    changed = spans = False
    for text in texts:
        pair = text if isinstance(text, tuple) else (text, None)
        theirs, ours = _encode(raw, *pair), _encode(built.backend, *pair)
        if theirs is None or ours is None:
            changed |= (theirs is None) != (ours is None)
            continue
        changed |= list(theirs.ids) != list(ours.ids) or list(theirs.type_ids) != list(ours.type_ids)
        spans |= list(theirs.offsets) != list(ours.offsets)
    return changed, spans


def _encode(backend: Any, text: str, pair: str | None) -> Encoded | None:
    try:
        encoded: Encoded = backend.encode(text, pair)
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        return None
    return encoded


def _kinds(part: Any) -> str:
    """A normalizer in a few words."""
    if not isinstance(part, dict):
        return "none"
    several = part.get("normalizers") or part.get("pretokenizers") or part.get("processors")
    return ", ".join(inner["type"] for inner in several) if several else str(part["type"])


def _template(part: Any) -> str:
    if not isinstance(part, dict) or part.get("type") != "TemplateProcessing":
        return _kinds(part)
    pieces = []
    for piece in part["pair"]:
        (kind, values) = next(iter(piece.items()))
        pieces.append(f"{'$' if kind == 'Sequence' else ''}{values['id']}:{values['type_id']}")
    return " ".join(pieces)


def _short(value: Any) -> str:
    if value is None or value == "":
        return "none"
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return text if len(text) <= 60 else f"{text[:60]}..."
