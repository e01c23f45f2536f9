"""The JSON document of a profile: written so that it can be read back and added to others."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from bertshape.corpus.counts import Counts, cut_lengths
from bertshape.corpus.profile import Profile, Setting
from bertshape.corpus.summary import summarize
from bertshape.errors import CheckpointError, UsageError, one_line
from bertshape.report.to_dict import SCHEMA_VERSION
from bertshape.strict_json import parse_object
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bertshape.corpus.counts import Shape

MAX_BYTES = 256 * 1024 * 1024
"""No profile comes near this size: a hundred thousand shards take some 10 MB."""
_HINT = "Pass what bertshape profile --json wrote."


def profile_to_json(profile: Profile) -> str:
    """One document: the counts, which can be merged, and what follows from them."""
    envelope = {"schema_version": SCHEMA_VERSION, "ok": True, "bertshape": __version__}
    document = envelope | {"profile": profile.to_dict(), "summary": summarize(profile).to_dict()}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def profile_from_json(text: str | bytes, name: str = "the profile") -> Profile:
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
        profile = _read(_object(document["profile"]))
        _check(profile)
        return profile
    except CheckpointError as error:
        raise UsageError(error.message, hint=_HINT, code="profile-invalid") from error
    except (KeyError, TypeError, ValueError) as error:
        what = f"{name} is no profile: {type(error).__name__}: {one_line(error)}"
        raise UsageError(what, hint=_HINT, code="profile-invalid") from error


def read_profile(path: Path) -> Profile:
    """Read a profile from a file; `-` is stdin.

    Raises:
        UsageError: The file cannot be read, or is no profile.
    """
    try:
        # Not held to regular files: <(bertshape profile FILE --json) is a pipe.
        with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot read {path}: {error.strerror or error}"
        raise UsageError(what, hint="Check the path.", code="file-unreadable") from error
    if len(data) > MAX_BYTES:
        what = f"{path} is longer than {MAX_BYTES // 1024 // 1024} MiB, and so no profile"
        raise UsageError(what, hint=_HINT, code="profile-invalid")
    return profile_from_json(data, str(path))


def _check(profile: Profile) -> None:
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


def _read(profile: Mapping[str, object]) -> Profile:
    """Raises KeyError, TypeError or ValueError where anything is not as `to_dict` writes it."""
    setting, counts = _object(profile["setting"]), _object(profile["counts"])
    files = profile["files"]
    if not isinstance(files, list):
        raise TypeError("files is no list")
    lengths = {_number(length): _number(count) for length, count in _object(counts["lengths"]).items()}
    batches = {
        _number(size): {_shape(shape): _number(count) for shape, count in _object(shapes).items()}
        for size, shapes in _object(counts["batches"]).items()
    }
    numbers = [_number(counts[name]) for name in ("unknown", "texts_with_unknown", "special")]
    entries = [(str(_object(file)["name"]), _number(_object(file)["texts"])) for file in files]
    sizes, unknown_token = setting["batch_sizes"], setting["unknown_token"]
    if not isinstance(sizes, list):
        raise TypeError("batch_sizes is no list")
    optional = [None if setting[name] is None else _number(setting[name]) for name in ("max_length", "cut_at")]
    return Profile(
        Setting(
            tokenizer=str(setting["tokenizer"]),
            unknown_token=None if unknown_token is None else str(unknown_token),
            hidden_size=_number(setting["hidden_size"]),
            limits={name: _number(limit) for name, limit in _object(setting["limits"]).items()},
            max_length=optional[0],
            cut_at=optional[1],
            batch_sizes=tuple(map(_number, sizes)),
        ),
        tuple(entries),
        Counts(lengths, numbers[0], numbers[1], numbers[2], batches),
    )


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _number(value: object) -> int:
    """A whole number, not negative; JSON has numbers as keys in strings."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(f"{str(value)[:50]!r} is no whole number")
    return number


def _shape(text: str) -> Shape:
    rows, _, length = text.partition("x")
    return _number(rows), _number(length)
