"""Folders that are something else than a transformers checkpoint: a row for each kind, with a sentence of its own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.files import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.checkpoint.locate import Location

Read = Callable[[str], object]
"""Gives the JSON of a file in the folder; None where it cannot be read."""
_SHOWN = 3
_MOST_FILES = 1000
"""Files of a folder that are looked at to say what it is."""


@dataclass(frozen=True)
class Folder:
    """What is to be recognised.

    Attributes:
        name: As the person wrote it.
        files: Paths of the files in it and one level below, with slashes.
        read: Reads one as JSON.
    """

    name: str
    files: Collection[str]
    read: Read

    def find(self, pattern: str) -> list[str]:
        """Paths that a pattern matches as a whole, in order."""
        return sorted(path for path in self.files if re.fullmatch(pattern, path))

    def below(self, name: str) -> str:
        """A path in the folder as the person would write it."""
        return f"{self.name.rstrip('/')}/{name}"

    def field(self, file: str, key: str) -> str | None:
        """A text in one of its JSON files."""
        document = self.read(file) if file in self.files else None
        value = document.get(key) if isinstance(document, Mapping) else None
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True)
class Kind:
    """A kind of folder.

    Attributes:
        code: Code of the error.
        pattern: Files by which it is known.
        describe: What it is, and what to do; None where what the files say shows that it is another kind.
        holds_weights: Whether the files are weights, in a format that is not read.
    """

    code: str
    pattern: str
    describe: Callable[[Folder, list[str]], tuple[str, str] | None]
    holds_weights: bool = False


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


def recognise(folder: Folder, *, weights_alone: bool = False) -> CheckpointError | None:
    """The error that says what a folder is; None where no kind fits.

    Args:
        folder: The folder.
        weights_alone: Whether config.json is there, and the question is only where its weights are.
    """
    for kind in KINDS:
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
        hint = f"Pass the folder below it: {_listed([folder.below(name) for name in below])}."
    return CheckpointError(f"there is no config.json in {folder.name}", hint=hint, code="config-missing")


def _children(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return  # What must not be read says nothing of the whole.


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _adapter(folder: Folder, _: list[str]) -> tuple[str, str]:
    base = folder.field("adapter_config.json", "base_model_name_or_path")
    kind = folder.field("adapter_config.json", "peft_type") or "peft"
    message = (
        f"{folder.name} holds an adapter ({kind}, adapter_config.json), not a model: its base model is "
        f"{base or 'not named in adapter_config.json'}"
    )
    model = base or "BASE_MODEL"
    merged = f'PeftModel.from_pretrained(AutoModel.from_pretrained("{model}"), "{folder.name}").merge_and_unload()'
    lines = (
        "from peft import PeftModel",
        "from transformers import AutoModel, AutoTokenizer",
        f'{merged}.save_pretrained("merged")',
        f'AutoTokenizer.from_pretrained("{model}").save_pretrained("merged")',
    )
    return message, f"Merge the two into a folder, and pass that: python -c {shlex.quote('; '.join(lines))}"


def _gliner(folder: Folder, found: list[str]) -> tuple[str, str]:
    encoder = folder.field(found[0], "model_name")
    named = f", {encoder}," if encoder else ""
    message = (
        f"{folder.name} is a GLiNER model ({found[0]}): an encoder{named} and layers that only the package gliner has"
    )
    return message, f"Inspect its encoder: --model {encoder}" if encoder else "Load it with gliner."


def _trainer(folder: Folder, found: list[str]) -> tuple[str, str]:
    numbers = sorted({int(path.split("/")[0].removeprefix("checkpoint-")) for path in found})
    named = _listed([f"checkpoint-{number}" for number in numbers])
    message = f"{folder.name} is the output folder of a Trainer: its checkpoints are in {named}"
    return message, f"Pass one of them, such as the last: {folder.below(f'checkpoint-{numbers[-1]}')}"


def _chain(folder: Folder, _: list[str]) -> tuple[str, str] | None:
    """A sentence-transformers folder whose first step is no transformer."""
    modules = folder.read("modules.json")
    first = modules[0] if isinstance(modules, list) and modules else None
    kind = first.get("type") if isinstance(first, Mapping) else None
    name = kind.rpartition(".")[2] if isinstance(kind, str) else ""
    use = f"Use it through SentenceTransformer({folder.name!r})."
    if name in ("Router", "Asym"):
        below = [path.rpartition("/")[0] for path in folder.find(r"[^/]+/config\.json")]
        below = [folder.below(path) for path in below if not re.search("Pooling|Dense|Normalize", path)]
        message = f"{folder.name} sends texts to different encoders (modules.json: {name}): {_listed(below)}"
        return message, f"Pass one of them: {below[0]}" if below else use
    described = _STEPS.get(name)
    return (f"{folder.name} {described} (modules.json: {name}), and no transformer", use) if described else None


_STEPS = {
    "StaticEmbedding": "is a static embedding: one stored vector for each token",
    "WordEmbeddings": "averages stored vectors of words",
    "BoW": "counts words",
}


def _export(what: str) -> Callable[[Folder, list[str]], tuple[str, str]]:
    """A kind whose weights are in another format."""

    def describe(folder: Folder, found: list[str]) -> tuple[str, str]:
        source = folder.field("config.json", "_name_or_path")
        origin = f"; config.json says that it comes from {source}" if source else ""
        message = f"{folder.name} holds its weights as {what} alone ({_listed(found)}), which bertshape does not read"
        return message, f"Pass the checkpoint with safetensors or PyTorch weights that it was made from{origin}."

    return describe


def _google(folder: Folder, found: list[str]) -> tuple[str, str]:
    message = f"{folder.name} is a release of BERT for TensorFlow 1 ({_listed(found)})"
    return message, (
        'To predict shapes, copy bert_config.json to config.json and add "model_type": "bert"; for numbers take the '
        "release for PyTorch."
    )


KINDS = (
    Kind("adapter-only", r"adapter_config\.json", _adapter, holds_weights=True),
    Kind("gliner", r"gliner_config\.json", _gliner),
    Kind("no-transformer", r"modules\.json", _chain),
    Kind("trainer-output", r"checkpoint-[0-9]{1,9}/config\.json", _trainer),
    Kind("bert-for-tensorflow-1", r"bert_config\.json|bert_model\.ckpt\.\S+", _google),
    Kind("onnx-only", r"(onnx/)?\S+\.onnx", _export("ONNX"), holds_weights=True),
    Kind("openvino-only", r"(openvino/)?openvino\S*\.(xml|bin)", _export("OpenVINO"), holds_weights=True),
    Kind("tensorflow-only", r"tf_model\S*\.h5|saved_model\.pb", _export("TensorFlow"), holds_weights=True),
    Kind("flax-only", r"flax_model\S*\.msgpack", _export("Flax"), holds_weights=True),
    Kind("gguf-only", r"\S+\.gguf", _export("GGUF"), holds_weights=True),
)
