"""From what a person writes after --model to a folder: embedded name, path or Hub repository."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bertshape.errors import CheckpointError, HubError, UsageError
from bertshape.wording import near_names

if TYPE_CHECKING:
    from bertshape.checkpoint.hub import Snapshot

Source = Literal["embedded", "directory", "hub"]

EMBEDDED_PREFIX = "embedded:"
DEFAULT_MODEL = "embedded:bert-base-uncased"
_EMBEDDED = Path(__file__).parent / "embedded"
_UNREACHABLE = frozenset({"hub-network", "hub-offline", "hub-not-found", "hub-server-error"})
# All embedded checkpoints share one vocabulary; it is stored once.
_EMBEDDED_TOKENIZER = _EMBEDDED / "bert-base-uncased"


@dataclass(frozen=True)
class Location:
    """Where a checkpoint is.

    Attributes:
        name: The name as a person reads it, never a path inside the package or the cache.
        source: What kind of place it is.
        folder: Folder with the checkpoint's small files.
        tokenizer_folder: Folder with the tokenizer's files; another one for embedded checkpoints alone.
        snapshot: The Hub revision behind the folder, where there is one.
    """

    name: str
    source: Source
    folder: Path
    tokenizer_folder: Path
    snapshot: Snapshot | None = None


def embedded_names() -> tuple[str, ...]:
    """Names of the checkpoints that ship in the package, smallest first."""
    folders = sorted(path.name for path in _EMBEDDED.iterdir() if path.is_dir())
    order = ("tiny", "mini", "small", "medium", "base", "large")
    return tuple(sorted(folders, key=lambda name: order.index(name.split("-")[1])))


def locate(
    model: str | None,
    *,
    revision: str | None = None,
    offline: bool = False,
    timeout: float | None = None,
    refresh: bool = False,
) -> Location:
    """Find a checkpoint; anything that exists or looks like a path is never looked up on the Hub.

    Args:
        model: Folder, `embedded:` name or Hub id; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's local cache alone.
        timeout: Seconds that fetching the small files from the Hub may take; None for the usual.
        refresh: Fetch them again, whatever the cache holds.

    Raises:
        UsageError: The name cannot be any of the three.
        CheckpointError: There is no such folder or embedded checkpoint.
        HubError: The Hub does not give the repository.
    """
    name = DEFAULT_MODEL if model is None else model
    if not name.strip() or "\0" in name:
        raise UsageError(
            "the model's name is empty", hint="Pass a folder, a Hub id or an embedded: name.", code="model-empty"
        )
    local = name.startswith(EMBEDDED_PREFIX) or os.path.lexists(name) or _looks_like_path(name)
    if local and revision is not None:
        hint = "Leave --revision out."
        raise UsageError(f"--revision is for Hub repositories; {name} is local", hint=hint, code="revision-local")
    if name.startswith(EMBEDDED_PREFIX):
        return _embedded(name)
    if local:
        return _directory(name)
    # Not on top: importing huggingface_hub takes longer than all the rest of a prediction.
    from bertshape.checkpoint.hub import open_snapshot

    try:
        snapshot = open_snapshot(name, revision, offline=offline, timeout=timeout, refresh=refresh)
    except HubError as error:
        raise _not_here(name, error) from error
    return Location(name, "hub", snapshot.folder, snapshot.folder, snapshot)


def _not_here(name: str, error: HubError) -> HubError:
    """The same failure for a name that may have been meant for a folder, or for an embedded checkpoint."""
    if error.code not in _UNREACHABLE:
        return error
    short = name.rpartition("/")[2]
    if short in embedded_names():
        hint = f"Without its weights it is in bertshape: {EMBEDDED_PREFIX}{short}. {error.hint}"
        return HubError(error.message, hint=hint, code=error.code)
    if "/" in name:
        return error
    near = near_names(f"./{name}", folders=True)
    hint = f"Did you mean {' or '.join(near)}?" if near else error.hint
    why = "and the Hub cannot be reached" if error.code != "hub-not-found" else "and the Hub has none"
    return HubError(f"no folder ./{name} here, {why} ({error.message})", hint=hint, code=error.code)


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "\\")) or name.endswith(("/", "\\")) or "\\" in name or name.count("/") > 1


def _embedded(name: str) -> Location:
    short = name.removeprefix(EMBEDDED_PREFIX)
    if short not in embedded_names():
        hint = f"Did you mean {EMBEDDED_PREFIX}{_nearest_embedded(short)}? "
        raise CheckpointError(
            f"there is no embedded checkpoint {short!r}",
            hint=f"{hint}Embedded: {', '.join(embedded_names())}.",
            code="embedded-not-found",
        )
    return Location(name, "embedded", _EMBEDDED / short, _EMBEDDED_TOKENIZER)


def _nearest_embedded(short: str) -> str:
    """The embedded checkpoint of the nearest size: `bert-huge` is likelier meant for large than for base."""
    sizes = {name.split("-")[1]: name for name in embedded_names()}
    parts = [part for part in short.lower().replace("_", "-").split("-") if part not in ("bert", "uncased", "cased")]
    near = [size for part in parts for size in difflib.get_close_matches(part, sizes, n=1, cutoff=0.3)]
    return sizes[near[0]] if near else sizes["base"]


def _near_folder(name: str) -> str:
    """What may have been meant by a folder that is not there."""
    repository, at, _ = name.rpartition("@")
    if at and os.path.isdir(os.path.expanduser(repository)):
        return f"A folder has no revisions: pass {repository}."
    near = near_names(name, folders=True)
    return f"Did you mean {' or '.join(near)}?" if near else "Check the path. A Hub id is ORG/NAME."


def _directory(name: str) -> Location:
    folder = Path(os.path.expanduser(name))
    try:
        exists, is_folder = os.path.lexists(folder), folder.is_dir()
        empty = is_folder and not any(folder.iterdir())
    except OSError as error:
        raise CheckpointError(
            f"cannot read the folder {name}: {error.strerror}", hint="Check its permissions.", code="folder-unreadable"
        ) from error
    problem = None
    if not exists:
        problem = ("folder-not-found", f"the folder {name} does not exist", _near_folder(name))
    elif not is_folder:
        holds = (folder.parent / "config.json").is_file()
        parent = f"Pass the folder that holds it: {os.path.dirname(name) or '.'}." if holds else None
        problem = ("not-a-folder", f"{name} is not a folder", parent or "Pass the folder that holds config.json.")
    elif empty:
        problem = ("folder-empty", f"the folder {name} is empty", "Pass the folder that holds config.json.")
    if problem:
        code, message, hint = problem
        raise CheckpointError(message, hint=hint, code=code)
    return Location(name, "directory", folder, folder)
