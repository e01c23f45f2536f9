"""What a checkpoint says about itself, read from its small files and weight headers: facts, no judgement, no torch."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.byte_source import MissingWeightsError
from bertshape.checkpoint.foreign import describe_folder, list_folder, recognise, recognise_config
from bertshape.checkpoint.locate import Location, locate
from bertshape.checkpoint.read_weights import PICKLES, folder_prefix, present_files, read_weights
from bertshape.checkpoint.recipe import Recipe, read_recipe, transformer_folder
from bertshape.checkpoint.tokenizer_files import TokenizerFiles, read_tokenizer_files
from bertshape.checkpoint.weights import SINGLE_FILE
from bertshape.errors import CheckpointError
from bertshape.files import exists, read_json_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bertshape.checkpoint.tensors import WeightHeaders

_UNSET_LENGTH = 10**9
"""transformers writes about 1e30 for "no limit"; nothing real comes near this."""


@dataclass(frozen=True)
class Checkpoint:
    """Facts about one checkpoint.

    Attributes:
        location: Where it is.
        folder: Folder of config.json and the weights.
        config: Content of config.json.
        tokenizer_files: What the files beside the tokenizer's vocabulary say.
        recipe: What the files say of how a text becomes a vector.
        headers: The safetensors headers; None where the weights are pickles or absent.
        pickles: Names of the pickle weight files, used where there is no safetensors file.
        weights_error: Why weight files that are there cannot be read; all else is known all the same.
    """

    location: Location
    folder: Path
    config: Mapping[str, object]
    tokenizer_files: TokenizerFiles
    recipe: Recipe
    headers: WeightHeaders | None
    pickles: tuple[str, ...]
    weights_error: CheckpointError | None = None

    @property
    def name(self) -> str:
        """The name that the person gave."""
        return self.location.name

    @property
    def config_path(self) -> str:
        """config.json as messages name it."""
        return f"{self.name.rstrip('/')}/config.json"

    @property
    def tokenizer_folder(self) -> Path:
        """Folder of the tokenizer's files."""
        return self.folder if self.location.source != "embedded" else self.location.tokenizer_folder

    @property
    def tokenizer_config(self) -> Mapping[str, object]:
        """Content of tokenizer_config.json; empty where there is none."""
        return self.tokenizer_files.config

    @property
    def has_weights(self) -> bool:
        """Whether there is anything to load; offline, the Hub may hold more than the cache."""
        snapshot = self.location.snapshot
        return (
            self.headers is not None
            or bool(self.pickles or self.weights_error)
            or (snapshot is not None and not snapshot.online)
        )

    def declared_lengths(self) -> dict[str, int]:
        """Length limits of the small files, by the place where each is declared; unset ones are left out."""
        limits = {}
        model_max_length = self.tokenizer_config.get("model_max_length")
        if isinstance(model_max_length, int | float) and 0 < model_max_length < _UNSET_LENGTH:
            limits["tokenizer_config.json model_max_length"] = int(model_max_length)
        if self.recipe.max_seq_length:
            limits["sentence_bert_config.json max_seq_length"] = self.recipe.max_seq_length
        return limits


def open_checkpoint(
    model: str | None,
    *,
    revision: str | None = None,
    offline: bool = False,
    timeout: float | None = None,
    refresh: bool = False,
) -> Checkpoint:
    """Find a checkpoint and read its facts; large files are not read, nor downloaded.

    Args:
        model: Folder, `embedded:` name or Hub id; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        timeout: Seconds that fetching the small files from the Hub may take; None for the usual.
        refresh: Fetch them again, whatever the cache holds.

    Raises:
        UsageError: The name cannot be a checkpoint's.
        CheckpointError: A file is missing or broken.
        HubError: The Hub does not give the repository.
    """
    location = locate(model, revision=revision, offline=offline, timeout=timeout, refresh=refresh)
    with cached_files(location):
        return _read(location)


@contextmanager
def cached_files(location: Location) -> Iterator[None]:
    """Say of a broken file from the Hub that it stays in the cache until it is fetched again."""
    try:
        yield
    except CheckpointError as error:
        if location.snapshot is None:
            raise
        raise _of_cache(error) from error


def _of_cache(error: CheckpointError) -> CheckpointError:
    if isinstance(error, MissingWeightsError):
        return error
    hint = f"The file is in the cache: fetch it again with check --refresh, or delete it. {error.hint}".strip()
    return type(error)(error.message, hint=hint, code=error.code)


def _read(location: Location) -> Checkpoint:
    folder = transformer_folder(location.folder)
    if not exists(folder / "config.json"):
        raise describe_folder(location)
    config = read_json_object(folder / "config.json")
    other = recognise_config(config, location.name)
    if other is None and "model_type" not in config:
        other = recognise(list_folder(location), only=("no-transformer", "format-unread", "other-library"))
    if other is not None:
        raise other
    headers, weights_error = read_weights(location, folder)
    recipe = read_recipe(location.folder)
    if location.snapshot is not None:
        weights_error = weights_error and _of_cache(weights_error)
        recipe = replace(recipe, error=recipe.error and _of_cache(recipe.error))
    tokenizer_folder = location.tokenizer_folder if location.source == "embedded" else folder
    return Checkpoint(
        location=location,
        folder=folder,
        config=config,
        tokenizer_files=read_tokenizer_files(tokenizer_folder),
        recipe=recipe,
        headers=headers,
        pickles=tuple(name for name in PICKLES if name in present_files(location, folder)),
        weights_error=weights_error,
    )


def as_encode_reads(checkpoint: Checkpoint) -> Checkpoint:
    """The same as `SentenceTransformer(folder)` reads it, where `AutoModel` and `AutoTokenizer` read less.

    Settings of sentence_bert_config.json go over those of config.json and tokenizer_config.json, and where no chain is
    declared there is the one that sentence-transformers makes up.

    Raises:
        CheckpointError: One is declared in a file that cannot be read.
    """
    step = checkpoint.recipe.transformer
    config = dict(checkpoint.config) | dict(step.config_settings)
    if step.dtype is not None:
        config["dtype"] = step.dtype
    return replace(
        checkpoint,
        config=config,
        tokenizer_files=checkpoint.tokenizer_files.given(step.tokenizer_settings),
        recipe=checkpoint.recipe.created(config),
    )


def weights_in_other_formats(checkpoint: Checkpoint) -> CheckpointError | None:
    """What the folder holds in place of weights that can be read, where it holds something known."""
    return recognise(list_folder(checkpoint.location), weights_alone=True)


def fetch_weights(checkpoint: Checkpoint, *, progress: bool = False) -> None:
    """Bring the weights of a Hub checkpoint into its folder; does nothing for a local one.

    Args:
        checkpoint: The checkpoint.
        progress: Draw a progress bar on stderr.

    Raises:
        HubError: A file cannot be had.
    """
    snapshot = checkpoint.location.snapshot
    if snapshot is None:
        return
    prefix = folder_prefix(checkpoint.location, checkpoint.folder)
    # With neither, this is an offline run, and asking for the usual file fails in the words of one.
    names = checkpoint.headers.files if checkpoint.headers else checkpoint.pickles or (SINGLE_FILE,)
    snapshot.download(tuple(prefix + name for name in names), progress=progress)
    snapshot.download(tuple(_step_files(checkpoint).values()), progress=progress)
    if names == PICKLES[1:]:
        weight_map = read_json_object(checkpoint.folder / PICKLES[1]).get("weight_map")
        shards = sorted({str(name) for name in weight_map.values()}) if isinstance(weight_map, dict) else []
        snapshot.download(tuple(prefix + name for name in shards), progress=progress)


def steps_without_weights(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Folders of the sentence-transformers steps that need weights of their own and have none."""
    needed = [step.path for step in checkpoint.recipe.steps if step.has_weights]
    files = _step_files(checkpoint) if needed else {}
    return tuple(path for path in needed if path not in files)


def _step_files(checkpoint: Checkpoint) -> dict[str, str]:
    """Weight file of each sentence-transformers step that has one, by the step's folder."""
    snapshot = checkpoint.location.snapshot
    found: dict[str, str] = {}
    for step in checkpoint.recipe.steps:
        for name in (f"{step.path}/{SINGLE_FILE}", f"{step.path}/{PICKLES[0]}"):
            there = name in snapshot.files if snapshot else exists(checkpoint.location.folder / name)
            if step.has_weights and there:
                found.setdefault(step.path, name)
    return found
