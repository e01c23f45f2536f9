"""The JSON document of a profile: written so that it can be read back and added to others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bertshape import __version__
from bertshape.errors import CheckpointError, UsageError, one_line
from bertshape.files import read_bytes
from bertshape.profiling.counts import Counts
from bertshape.profiling.profile import Profile, Setting
from bertshape.profiling.summary import summarize
from bertshape.report import SCHEMA_VERSION
from bertshape.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bertshape.profiling.counts import Shape

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
        return _read(_object(parse_object(data, subject=name, code="profile")["profile"]))
    except CheckpointError as error:
        raise UsageError(error.message, hint=_HINT, code="profile-invalid") from error
    except (KeyError, TypeError, ValueError) as error:
        what = f"{name} is no profile: {type(error).__name__}: {one_line(error)}"
        raise UsageError(what, hint=_HINT, code="profile-invalid") from error


def read_profile(path: Path) -> Profile:
    """Read a profile from a file.

    Raises:
        UsageError: The file cannot be read, or is no profile.
    """
    try:
        data = read_bytes(path)
    except CheckpointError as error:
        raise UsageError(error.message, hint=_HINT, code="profile-invalid") from error
    return profile_from_json(data, str(path))


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
    if sum(texts for _, texts in entries) != sum(lengths.values()):
        raise ValueError("its files have another number of texts than its lengths")
    sizes = setting["batch_sizes"]
    if not isinstance(sizes, list) or set(map(_number, sizes)) != set(batches):
        raise ValueError("batch_sizes are not those of the batches")
    optional = [None if setting[name] is None else _number(setting[name]) for name in ("max_length", "cut_at")]
    return Profile(
        Setting(
            tokenizer=str(setting["tokenizer"]),
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
