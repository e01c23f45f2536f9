"""Folders that are something else than a transformers checkpoint, or hold their weights in another form."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bertshape.checkpoint.foreign_kinds import KINDS, Folder, listed
from bertshape.errors import CheckpointError
from bertshape.files import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from bertshape.checkpoint.locate import Location

_MOST_FILES = 1000
"""Files of a folder that are looked at to say what it is."""


def list_folder(location: Location) -> Folder:
    """The files of a checkpoint's folder and one level below, those included that are on the Hub alone."""

    def read(name: str) -> object:
        try:
            return read_json(location.folder / name)
        except CheckpointError:
            return None

    if location.snapshot is not None:
        return Folder(location.name, location.snapshot.files, read)
    top = list(islice(_children(location.folder), _MOST_FILES))
    below = [path for child in top if child.is_dir() for path in islice(_children(child), _MOST_FILES)]
    files = (path.relative_to(location.folder).as_posix() for path in (*top, *below))
    return Folder(location.name, tuple(files), read)


def describe_folder(location: Location) -> CheckpointError:
    """The error that says what a folder without config.json is."""
    folder = list_folder(location)
    return recognise(folder) or _missing_config(folder)


def recognise(folder: Folder, *, weights_alone: bool = False, only: Collection[str] = ()) -> CheckpointError | None:
    """The error that says what a folder is; None where no kind fits.

    Args:
        folder: The folder.
        weights_alone: Whether config.json is there, and the question is only where its weights are.
        only: Codes of the kinds that come into question; empty for all.
    """
    for kind in KINDS:
        if (only and kind.code not in only) or (kind.needs_config and not weights_alone):
            continue
        found = folder.find(kind.pattern)
        if found and (kind.holds_weights or not weights_alone):
            described = kind.describe(folder, found)
            if described is not None:
                return CheckpointError(described[0], hint=described[1], code=kind.code)
    return None


def recognise_config(config: Mapping[str, object], name: str) -> CheckpointError | None:
    """The error that says of which other kind of model a config.json is; None for one of a text encoder."""
    model_type, classes = config.get("model_type"), config.get("architectures")
    if model_type == "model2vec" or classes == ["StaticModel"]:
        return CheckpointError(
            f"{name} is a model2vec model: one stored vector for each token, and no transformer",
            hint=f"Load it with model2vec: StaticModel.from_pretrained({name!r}).",
            code="model2vec",
        )
    if isinstance(config.get("text_config"), dict):
        return CheckpointError(
            f"{name} is a {model_type} model of texts and other media: its text encoder is a part of it (text_config)",
            hint="Pass a checkpoint of its text encoder alone.",
            code="multimodal",
        )
    return None


def _missing_config(folder: Folder) -> CheckpointError:
    """The error of a folder without config.json that no kind fits."""
    found = folder.find(r"[^/]+/config\.json")
    below = [path.rpartition("/")[0] for path in found if folder.field(path, "model_type")]
    hint = "A checkpoint is a folder with config.json, weights and a tokenizer: pass one."
    if below:
        hint = f"Pass the folder below it: {listed([folder.below(name) for name in below])}."
    packed = folder.find(r"[^/]+\.(tar|tgz|tar\.gz|zip)")
    if packed:
        hint = f"Unpack {packed[0]}, and pass the folder that comes out."
    return CheckpointError(f"there is no config.json in {folder.name}", hint=hint, code="config-missing")


def _children(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return  # What must not be read says nothing of the whole.
