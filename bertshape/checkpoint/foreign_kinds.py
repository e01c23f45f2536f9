"""Kinds of folders that are something else than a transformers checkpoint, each with a sentence of its own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

Read = Callable[[str], object]
"""Gives the JSON of a file in the folder; None where it cannot be read."""
_SHOWN = 3


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
        needs_config: Whether the files tell nothing without a config.json beside them.
    """

    code: str
    pattern: str
    describe: Callable[[Folder, list[str]], tuple[str, str] | None]
    holds_weights: bool = False
    needs_config: bool = False


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _adapter(folder: Folder, _: list[str]) -> tuple[str, str]:
    base = folder.field("adapter_config.json", "base_model_name_or_path")
    kind = folder.field("adapter_config.json", "peft_type")
    if kind is None and (base := base or folder.field("adapter_config.json", "model_name")):
        kind = "of the package adapters"
    message = (
        f"{folder.name} holds an adapter ({kind or 'peft'}, adapter_config.json), not a model: its base model is "
        f"{base or 'not named in adapter_config.json'}"
    )
    model = base or "BASE_MODEL"
    if kind is not None and not _MERGES.search(kind):
        return message, f"It cannot be merged into a model: pass the base model, {model}."
    auto = _AUTO_CLASSES.get(folder.field("adapter_config.json", "task_type") or "", "AutoModel")
    merged = f'PeftModel.from_pretrained({auto}.from_pretrained("{model}"), "{folder.name}").merge_and_unload()'
    lines = (
        "from peft import PeftModel",
        f"from transformers import {auto}, AutoTokenizer",
        f'{merged}.save_pretrained("merged")',
        f'AutoTokenizer.from_pretrained("{model}").save_pretrained("merged")',
    )
    return message, f"Merge the two into a folder, and pass that: python -c {shlex.quote('; '.join(lines))}"


_MERGES = re.compile("LORA|LOHA|LOKR|IA3|OFT|BOFT|HRA|VERA|FOURIERFT|BONE|MISS|RANDLORA|SHIRA|C3A|ROAD|LN_TUNING|POLY")
"""Adapters that are a change of the base model's matrices; prompts and bottleneck layers are none."""
_AUTO_CLASSES = {
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "TOKEN_CLS": "AutoModelForTokenClassification",
    "QUESTION_ANS": "AutoModelForQuestionAnswering",
}


def _gliner(folder: Folder, found: list[str]) -> tuple[str, str]:
    encoder = folder.field(found[0], "model_name")
    named = f", {encoder}," if encoder else ""
    message = (
        f"{folder.name} is a GLiNER model ({found[0]}): an encoder{named} and layers that only the package gliner has"
    )
    return message, f"Pass its encoder: {encoder}" if encoder else "Load it with gliner."


def _trainer(folder: Folder, found: list[str]) -> tuple[str, str]:
    numbers = sorted({int(path.split("/")[0].removeprefix("checkpoint-")) for path in found})
    named = listed([f"checkpoint-{number}" for number in numbers])
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
        message = (
            f"{folder.name} sends texts to different encoders (modules.json: {name}): {listed(below) or 'none is here'}"
        )
        return message, f"Pass one of them: {below[0]}" if below else use
    if not name or name in _TRANSFORMERS or not str(kind).startswith("sentence_transformers."):
        return None
    described = _STEPS.get(name, f"begins with a step {name}")
    return f"{folder.name} {described} (modules.json: {name}), and no transformer", use


_TRANSFORMERS = ("Transformer", "MLMTransformer")
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
        message = f"{folder.name} holds its weights as {what} alone ({listed(found)}), which bertshape does not read"
        return message, f"Pass the checkpoint with safetensors or PyTorch weights that it was made from{origin}."

    return describe


_FORMATS = {
    "Core ML": r"\S+\.(mlpackage|mlmodel)(/\S+)?",
    "TensorFlow Lite": r"\S+\.tflite",
    "Keras": r"\S+\.keras|\S+\.weights\.h5",
    "rust-bert": r"\S+\.ot",
    "TensorRT": r"\S+\.(plan|engine)",
    "MLX": r"weights(\.\d+)?\.npz",
    "PaddlePaddle": r"\S+\.pdparams",
    "CTranslate2": r"(shared_|source_)?vocabulary\.(json|txt)",
}
_LIBRARIES = {
    "spaCy": r"config\.cfg|([^/]+/)?meta\.json",
    "fastText": r"\S+\.(vec|ftz)",
    "gensim": r"\S+\.(kv|wv\.vectors\.npy|vectors\.npy)",
    "NeMo": r"\S+\.nemo",
    "fairseq": r"dict\.txt",
    "BERTopic": r"topics\.json",
    "AllenNLP": r"weights\.th",
    "flair": r"(best|final)-model\.pt",
}


def _library(what: str) -> Callable[[Folder, list[str]], tuple[str, str]]:
    """A kind of folder that another package has written."""

    def describe(folder: Folder, found: list[str]) -> tuple[str, str]:
        message = f"{folder.name} is a model of {what} ({listed(found)}), and no transformers checkpoint"
        return message, f"Use it through {what}; pass a checkpoint that transformers can load."

    return describe


def _training_state(folder: Folder, found: list[str]) -> tuple[str, str]:
    message = f"{folder.name} holds the state of a training in parts ({listed(found)}), not the weights of a model"
    quoted = shlex.quote(folder.name)
    if found[0].endswith(".distcp"):
        part = found[0].rpartition("/")[0]
        return message, f"Merge the parts: accelerate merge-weights {shlex.quote(folder.below(part))} {quoted}"
    return message, f"Merge the parts: python {shlex.quote(folder.below('zero_to_fp32.py'))} {quoted} {quoted}"


def _no_index(folder: Folder, found: list[str]) -> tuple[str, str]:
    start, _, ending = found[0].partition("-")[0], *found[0].rpartition(".")[1:]
    index = f"{start}.{ending}.index.json"
    message = f"{folder.name} holds {listed(found)}, and not their index {index}: no weights would be found"
    return message, f"Copy {index} from where the weights are."


def _other_name(folder: Folder, found: list[str]) -> tuple[str, str] | None:
    """Weights under a name that transformers does not look for."""
    names = [name for name in found if not _NO_WEIGHTS.search(name)]
    if not names:
        return None
    name, wanted = names[0], folder.below("model.safetensors")
    message = f"{folder.name} holds {listed(names)}; transformers reads model.safetensors or pytorch_model.bin alone"
    if name.endswith(".safetensors"):
        return message, f"Rename it: mv {shlex.quote(folder.below(name))} {shlex.quote(wanted)}"
    return message, (
        f"If it was written by torch.save, name it as transformers does, and check again: mv "
        f"{shlex.quote(folder.below(name))} {shlex.quote(folder.below('pytorch_model.bin'))}"
    )


_NO_WEIGHTS = re.compile(
    r"optimizer|scheduler|scaler|rng_state|training_args|random_states|linear|head|openvino|adapter"
)


def _unfinished(folder: Folder, found: list[str]) -> tuple[str, str]:
    message = f"{folder.name} holds a download that was not finished ({listed(found)})"
    return message, "Download the checkpoint again."


def _cache_folder(folder: Folder, found: list[str]) -> tuple[str, str]:
    message = f"{folder.name} is a folder of the Hub's cache: the files are in {listed(found)}"
    return message, f"Pass {folder.below(found[-1])}"


def _google(folder: Folder, found: list[str]) -> tuple[str, str]:
    message = f"{folder.name} is a release of BERT for TensorFlow 1 ({listed(found)})"
    config = next((path for path in found if path.endswith(".json")), None)
    if config is None:
        return message, "Take the release for PyTorch."
    family = config.rpartition("/")[2].removesuffix("_config.json")
    below = config.rpartition("/")[0]
    weights = [
        path for path in folder.find(r"(\S+/)?(pytorch_model\.bin|model\.safetensors)") if path.startswith(below)
    ]
    if weights:
        message = (
            f"{folder.name} has {config} and {weights[0]}, as pytorch-pretrained-bert wrote them, and no config.json"
        )
        return message, f'Copy {config} to config.json beside the weights, and add "model_type": "{family}" to it.'
    return message, (
        f'To predict shapes, copy {config} to config.json and add "model_type": "{family}"; for numbers take the '
        "release for PyTorch."
    )


KINDS = (
    Kind("adapter-only", r"adapter_config\.json", _adapter, holds_weights=True),
    Kind("gliner", r"gliner_config\.json", _gliner),
    Kind("no-transformer", r"modules\.json", _chain),
    Kind("trainer-output", r"checkpoint-[0-9]{1,9}/config\.json", _trainer),
    Kind("bert-for-tensorflow-1", r"([^/]+/)?((al)?bert_config\.json|\S+\.ckpt\S*\.(index|meta|data-\S+))", _google),
    Kind("onnx-only", r"(onnx/)?\S+\.onnx", _export("ONNX"), holds_weights=True),
    Kind("openvino-only", r"(openvino/)?openvino\S*\.(xml|bin)", _export("OpenVINO"), holds_weights=True),
    Kind("tensorflow-only", r"tf_model\S*\.h5|saved_model(\.pb|/\S+)", _export("TensorFlow"), holds_weights=True),
    Kind("flax-only", r"flax_model\S*\.msgpack", _export("Flax"), holds_weights=True),
    Kind("gguf-only", r"\S+\.gguf", _export("GGUF"), holds_weights=True),
    *(Kind("format-unread", pattern, _export(what), holds_weights=True) for what, pattern in _FORMATS.items()),
    Kind("training-state", r"zero_to_fp32\.py|([^/]+/)?[^/]+\.distcp", _training_state, holds_weights=True),
    Kind("weights-index-missing", r"(model|pytorch_model)-[0-9]+-of-[0-9]+\.\w+", _no_index, True, needs_config=True),
    Kind("weights-name", r"[^/]+\.(ckpt|pth?|bin|safetensors)", _other_name, True, needs_config=True),
    Kind("download-unfinished", r"\S+\.(incomplete|aria2|part|partial|crdownload|download|tmp)", _unfinished, True),
    *(Kind("other-library", pattern, _library(what)) for what, pattern in _LIBRARIES.items()),
    Kind("hub-cache-folder", r"snapshots/[^/]+", _cache_folder),
)
