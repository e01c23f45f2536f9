"""The sentence-transformers files of a checkpoint: which pooling it declares, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.files import exists, is_inside, read_json, read_json_object, read_optional_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Field names up to sentence-transformers 5; the order is that in which several modes are concatenated.
_OLD_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_MODES = tuple(_OLD_MODES.values())
_LONGEST_NAME = 255
"""Bytes of the name of a folder, on every common file system."""
SENTENCE = "sentence_embedding"
TOKENS = "token_embeddings"
TANH = "torch.nn.modules.activation.Tanh"
"""What a Dense step does that names no activation, or one outside torch: that is code, which nobody runs unasked."""
_DENSE_LIKE = {"Dense": ("in_features", "out_features"), "LayerNorm": ("dimension", "dimension")}


@dataclass(frozen=True)
class Module:
    """One step of the chain.

    Attributes:
        name: Class name without its package, such as `Pooling`.
        path: Folder of the step inside the checkpoint; empty for the transformer of most checkpoints.
        input_dimension: Vector size that the step says it takes, where it says so.
        output_dimension: Vector size that the step says it gives, where it says so.
        takes: Which feature it reads: `sentence_embedding`, or `token_embeddings` in models of a vector a token.
        gives: Which feature it writes.
        activation: Class of a Dense step's activation, such as `torch.nn.modules.activation.Tanh`.
        bias: Whether a Dense step adds a bias.
        residual: Whether a Dense step adds what it takes to what it gives.
    """

    name: str
    path: str
    input_dimension: int | None = None
    output_dimension: int | None = None
    takes: str = SENTENCE
    gives: str = SENTENCE
    activation: str = TANH
    bias: bool = True
    residual: bool = False

    @property
    def has_weights(self) -> bool:
        """Whether the step has numbers of its own."""
        return self.name in _DENSE_LIKE


@dataclass(frozen=True)
class SentenceEmbedding:
    """What `modules.json` declares.

    Attributes:
        pooling: Strategy in bertshape's notation, such as `mean` or `cls+mean`; None where no Pooling module is.
        dimension: Size of the final vector, where the files say it.
        modules: The chain, in order.
        max_seq_length: Tokens after which `encode` truncates, where the files say it.
        prompt: What `encode` puts before each text unless it is told otherwise.
        lower_case: Whether `encode` makes texts lower case before the tokenizer gets them.
    """

    pooling: str | None
    dimension: int | None
    modules: tuple[Module, ...]
    max_seq_length: int | None
    prompt: str | None = None
    lower_case: bool = False

    def to_dict(self) -> dict[str, object]:
        """The declaration as the JSON document shows it."""
        modules = [
            {"type": step.name, "input_dimension": step.input_dimension, "output_dimension": step.output_dimension}
            for step in self.modules
        ]
        return {"pooling": self.pooling, "dimension": self.dimension, "modules": modules}


def transformer_folder(folder: Path) -> Path:
    """Folder of config.json and the weights: old checkpoints keep them in `0_Transformer`."""
    if exists(folder / "config.json") or not exists(folder / "modules.json"):
        return folder
    steps = _module_entries(folder)
    return folder / steps[0][1] if steps else folder


def read_sentence_embedding(folder: Path) -> SentenceEmbedding | None:
    """Read the sentence-transformers files of a folder.

    Args:
        folder: The checkpoint folder, the one with `modules.json`.

    Returns:
        The declaration, or None where there is no `modules.json`.

    Raises:
        CheckpointError: A file is there but broken.
    """
    if not exists(folder / "modules.json"):
        return None
    pooling: str | None = None
    dimension: int | None = None
    modules: list[Module] = []
    for name, path in _module_entries(folder):
        module = Module(name, path)
        if name == "Pooling":
            pooling, module = _read_pooling(folder, path)
        elif name in _DENSE_LIKE:
            module = _read_dense_like(folder, name, path)
        elif name == "Normalize":
            module = _with_features(module, read_optional_object(folder / path / "config.json"))
        dimension = module.output_dimension or dimension
        modules.append(module)
    inner = _transformer_config(folder, modules)
    return SentenceEmbedding(
        pooling,
        dimension,
        tuple(modules),
        _size(inner[0], inner[1], "max_seq_length"),
        _default_prompt(folder),
        inner[1].get("do_lower_case") is True,
    )


def _module_entries(folder: Path) -> list[tuple[str, str]]:
    path = folder / "modules.json"
    steps = read_json(path)
    if not isinstance(steps, list):
        raise _invalid(path, "expected an array of modules")
    entries = []
    for step in steps:
        kind, where = (step.get("type"), step.get("path")) if isinstance(step, dict) else (None, None)
        if not isinstance(kind, str) or not isinstance(where, str):
            raise _invalid(path, 'each module needs a "type" and a "path", both strings')
        if not is_inside(where):
            raise _invalid(path, f"the module path {where!r} leaves the checkpoint folder")
        if any(len(part.encode(errors="surrogatepass")) > _LONGEST_NAME for part in where.split("/")):
            raise _invalid(path, f"the module path {where[:20]!r}... is too long for the name of a folder")
        entries.append((kind.rpartition(".")[2], where))
    return entries


def _read_pooling(folder: Path, path: str) -> tuple[str, Module]:
    file = folder / path / "config.json"
    config = read_json_object(file)
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for field, mode in _OLD_MODES.items() if config.get(field) is True] or ["mean"]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or not modes or any(mode not in _MODES for mode in modes):
        raise _invalid(file, f"pooling_mode is {modes!r}, expected one or several of {', '.join(_MODES)}")
    taken = _size(file, config, "embedding_dimension") or _size(file, config, "word_embedding_dimension")
    given = taken * len(modes) if taken else None
    return "+".join(modes), Module("Pooling", path, taken, given)


def _read_dense_like(folder: Path, name: str, path: str) -> Module:
    file = folder / path / "config.json"
    config = read_json_object(file)
    taken, given = _DENSE_LIKE[name]
    module = _with_features(Module(name, path, _size(file, config, taken), _size(file, config, given)), config)
    if name != "Dense":
        return module
    activation = config.get("activation_function")
    trusted = isinstance(activation, str) and activation.startswith("torch.")
    return replace(
        module,
        activation=str(activation) if trusted else TANH,
        bias=config.get("bias") is not False,
        residual=config.get("use_residual") is True,
    )


def _with_features(module: Module, config: Mapping[str, object]) -> Module:
    """Names of the features that a step reads and writes; it writes what it reads unless it says otherwise."""
    takes, gives = config.get("module_input_name"), config.get("module_output_name")
    taken = takes if isinstance(takes, str) else SENTENCE
    return replace(module, takes=taken, gives=gives if isinstance(gives, str) else taken)


def _transformer_config(folder: Path, modules: list[Module]) -> tuple[Path, dict[str, object]]:
    """The file of the Transformer step, and what it says."""
    file = (folder / modules[0].path if modules else folder) / "sentence_bert_config.json"
    return file, read_optional_object(file)


def _default_prompt(folder: Path) -> str | None:
    config = read_optional_object(folder / "config_sentence_transformers.json")
    prompts, name = config.get("prompts"), config.get("default_prompt_name")
    prompt = prompts.get(name) if isinstance(prompts, dict) and isinstance(name, str) else None
    return prompt if isinstance(prompt, str) and prompt else None


def _size(file: Path, config: Mapping[str, object], field: str) -> int | None:
    value = config.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _invalid(file, f"{field} is {value!r}, expected a positive whole number")
    return value


def _invalid(file: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{file}: {what}",
        hint="Save the checkpoint again with sentence-transformers, or remove modules.json.",
        code="sentence-transformers-invalid",
    )
