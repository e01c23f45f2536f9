"""Read the document of a profile back, so that it can be added to others."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast, get_args

from bertshape.corpus.counts import Counts, cut_lengths
from bertshape.errors import CheckpointError, UsageError, one_line
from bertshape.report.batch_memory import BatchMemory, Term
from bertshape.report.envelope import SCHEMA_VERSION
from bertshape.report.finding import Finding, Severity
from bertshape.report.profile import ProfileReport, Setting
from bertshape.report.profile_summary import EFFECTIVE
from bertshape.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bertshape.corpus.counts import Shape

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
MAX_BYTES = 256 * 1024 * 1024
"""No profile comes near this size: a hundred thousand shards take some 10 MB."""
_HINT = "Pass what bertshape profile --json wrote."


def profile_from_json(text: str | bytes, name: str = "the profile") -> ProfileReport:
    """Read what `profile_to_json` and `profile --json` write.

    Args:
        text: The document.
        name: What to call it in messages.

    Raises:
        UsageError: It is no such document.
    """
    try:
        data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        document = parse_object(data, subject=name, code="profile")
        if document["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version is not {SCHEMA_VERSION}")
        profile = replace(
            _read(_object(document["profile"])),
            model=_optional_text(document["model"]),
            findings=tuple(map(_finding, _objects(document["findings"]))),
        )
        _check(profile)
        return profile
    except CheckpointError as error:
        raise UsageError(error.message, hint=_HINT, code="profile-invalid") from error
    except (KeyError, TypeError, ValueError) as error:
        what = f"{name} is no profile: {type(error).__name__}: {one_line(error)}"
        raise UsageError(what, hint=_HINT, code="profile-invalid") from error


def read_profile(path: Path) -> ProfileReport:
    """Read a profile from a file; `-` is stdin.

    Raises:
        UsageError: The file cannot be read, or is no profile.
    """
    try:
        # Not only regular files: <(bertshape profile FILE --json) is a pipe.
        with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot read {path}: {error.strerror or error}"
        raise UsageError(what, hint="Check the path.", code="file-unreadable") from error
    if len(data) > MAX_BYTES:
        what = f"{path} is longer than {MAX_BYTES // 1024 // 1024} MiB, and so no profile"
        raise UsageError(what, hint=_HINT, code="profile-invalid")
    return profile_from_json(data, str(path))


def _check(profile: ProfileReport) -> None:
    """Raises ValueError where the parts of a profile contradict each other."""
    texts = profile.counts.texts
    if 0 in profile.counts.lengths.values() or any(0 in shapes.values() for shapes in profile.counts.batches.values()):
        raise ValueError("a count is 0")
    if sum(number for _, number in profile.files) != texts:
        raise ValueError("its files have another number of texts than its lengths")
    if set(profile.setting.batch_sizes) != set(profile.counts.batches):
        raise ValueError("batch_sizes are not those of the batches")
    counts = profile.counts
    if max(counts.unknown, counts.special) > counts.tokens or counts.texts_with_unknown > min(texts, counts.unknown):
        raise ValueError("it has more unknown or special tokens than tokens")
    lengths = cut_lengths(profile.counts.lengths, profile.setting.cut_at)
    tokens = sum(length * count for length, count in lengths.items())
    for size, shapes in profile.counts.batches.items():
        if sum(rows * count for (rows, _), count in shapes.items()) != texts or any(rows > size for rows, _ in shapes):
            raise ValueError(f"its batches of {size} hold other texts than its lengths")
        if sum(rows * length * count for (rows, length), count in shapes.items()) < tokens:
            raise ValueError(f"its batches of {size} have fewer positions than tokens")


def _read(profile: Mapping[str, object]) -> ProfileReport:
    """Raises KeyError, TypeError or ValueError where anything is not as `profile_document` writes it."""
    setting, counts = _object(profile["setting"]), _object(profile["counts"])
    lengths = _objects(counts["lengths"])
    entries = [(str(file["name"]), _number(file["texts"])) for file in _objects(profile["files"])]
    numbers = [_number(counts[name]) for name in ("unknown", "texts_with_unknown", "special")]
    batches = [(_number(entry["batch_size"]), _shapes(entry)) for entry in _objects(counts["batches"])]
    sizes, unknown_token = _list(setting["batch_sizes"]), setting["unknown_token"]
    limits = [(f"{entry['file']} {entry['field']}", _number(entry["limit"])) for entry in _limits(setting)]
    optional = {name: _optional(setting[name]) for name in ("max_length", "cut_at", "effective_limit")}
    if optional["effective_limit"] is not None:
        limits.append((EFFECTIVE, optional["effective_limit"]))
    return ProfileReport(
        Setting(
            tokenizer=str(setting["tokenizer"]),
            unknown_token=_optional_text(unknown_token),
            hidden_size=_number(setting["hidden_size"]),
            limits=_unique(limits),
            max_length=optional["max_length"],
            cut_at=optional["cut_at"],
            batch_sizes=tuple(map(_number, sizes)),
            memory=tuple(map(_memory, _objects(setting.get("memory", [])))),
        ),
        tuple(entries),
        Counts(
            _unique((_number(entry["length"]), _number(entry["texts"])) for entry in lengths),
            numbers[0],
            numbers[1],
            numbers[2],
            _unique(batches),
        ),
    )


def _memory(entry: Mapping[str, object]) -> BatchMemory:
    peaks = [tuple(map(_term, _objects(terms))) for terms in _list(entry["peaks"])]
    if not peaks:
        raise ValueError("its memory has no peaks")
    return BatchMemory(str(entry["dtype"]), _number(entry["weights"]), tuple(peaks))


def _term(entry: Mapping[str, object]) -> Term:
    size, texts, tokens = entry["bytes"], _number(entry["texts"]), _number(entry["tokens"])
    if isinstance(size, bool) or not isinstance(size, int) or max(texts, tokens) > 2:
        raise ValueError("its memory has a term that is none")
    return Term(texts, tokens, size)


def _limits(setting: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    limits = _objects(setting["length_limits"])
    if any(not isinstance(entry[name], str) for entry in limits for name in ("file", "field")):
        raise TypeError("length_limits has a limit without a file or a field")
    return limits


def _shapes(entry: Mapping[str, object]) -> dict[Shape, int]:
    shapes = _objects(entry["shapes"])
    return _unique(
        ((_number(shape["rows"]), _number(shape["sequence_length"])), _number(shape["batches"])) for shape in shapes
    )


def _unique(entries: Iterable[tuple[_Key, _Value]]) -> dict[_Key, _Value]:
    """A mapping, where nothing is counted twice."""
    found: dict[_Key, _Value] = {}
    for key, value in entries:
        if key in found:
            raise ValueError(f"it has {key} twice")
        found[key] = value
    return found


def _finding(entry: Mapping[str, object]) -> Finding:
    severity = next((name for name in get_args(Severity) if name == entry["severity"]), None)
    if severity is None:
        raise ValueError(f"{str(entry['severity'])[:50]!r} is no severity")
    code, message, hint = (str(entry[name]) for name in ("code", "message", "hint"))
    expected, actual = (_number_or_text(entry[name]) for name in ("expected", "actual"))
    return Finding(code, severity, message, hint, _optional_text(entry["where"]), expected, actual)


def _number_or_text(value: object) -> float | str | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return cast("float", value) if number else _optional_text(value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return value


def _objects(value: object) -> Sequence[Mapping[str, object]]:
    return [_object(entry) for entry in _list(value)]


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)


def _optional(value: object) -> int | None:
    return None if value is None else _number(value)


def _number(value: object) -> int:
    """A whole number, not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{str(value)[:50]!r} is no whole number")
    return value
