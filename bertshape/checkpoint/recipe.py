"""The recipe of a checkpoint: what its sentence-transformers files say of how a text becomes a vector."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
"""What a Dense step does that names no activation, or one outside torch: that is code, and is never run."""
_DENSE_LIKE = {"Dense": ("in_features", "out_features"), "LayerNorm": ("dimension", "dimension")}


@dataclass(frozen=True)
class Module:
    """One step of the chain.

    Attributes:
        name: Class name without its package, such as `Pooling`.
        path: Folder of the step inside the checkpoint; empty for the transformer of most checkpoints.
        input_dimension: Vector size that the step says it takes, where it says so.
        output_dimension: Vector size that the step says it gives, where it says so.
        takes: Which feature it reads: `sentence_embedding`, or `token_embeddings` in models of token vectors.
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
class Recipe:
    """What the files say of how a text becomes a vector: the one account of it that every command uses.

    A checkpoint without `modules.json` has a recipe too: no steps, and the defaults of the rest.

    Attributes:
        steps: The chain of `modules.json`, in order; empty where there is no such file.
        pooling: Strategy in bertshape's notation, such as `mean` or `cls+mean`; None where no Pooling step is.
        embedding_dimension: Size of the final vector, where the files say it.
        max_seq_length: Number of tokens at which `encode` cuts, where the files say it.
        prompts: Prompts by name, such as `query`.
        default_prompt_name: Name of the prompt that `encode` puts before each text unless asked otherwise.
        include_prompt: Whether the Pooling step reads the tokens of the prompt.
        lower_case: Whether `encode` makes texts lower case before the tokenizer gets them.
        truncate_dim: Size that `encode` cuts the final vector to, where the files say it.
        dtype: Dtype in which sentence-transformers loads the model, where its files say it.
    """

    steps: tuple[Module, ...] = ()
    pooling: str | None = None
    embedding_dimension: int | None = None
    max_seq_length: int | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    include_prompt: bool = True
    lower_case: bool = False
    truncate_dim: int | None = None
    dtype: str | None = None

    @property
    def has_chain(self) -> bool:
        """Whether the files declare how a sentence embedding is made."""
        return bool(self.steps)

    @property
    def prompt(self) -> str | None:
        """What `encode` puts before each text unless asked otherwise; None for nothing."""
        return self.prompts.get(self.default_prompt_name or "") or None


def transformer_folder(folder: Path) -> Path:
    """Folder of config.json and the weights: old checkpoints keep them in `0_Transformer`."""
    if exists(folder / "config.json") or not exists(folder / "modules.json"):
        return folder
    steps = _module_entries(folder)
    return folder / steps[0][1] if steps else folder


def read_recipe(folder: Path) -> Recipe:
    """Read the sentence-transformers files of a folder.

    Args:
        folder: The checkpoint folder, the one with `modules.json` where there is one.

    Raises:
        CheckpointError: A file is there but broken.
    """
    if not exists(folder / "modules.json"):
        return Recipe()
    pooling: str | None = None
    dimension: int | None = None
    include_prompt = True
    steps: list[Module] = []
    for name, path in _module_entries(folder):
        module = Module(name, path)
        if name == "Pooling":
            pooling, module, include_prompt = _read_pooling(folder, path)
        elif name in _DENSE_LIKE:
            module = _read_dense_like(folder, name, path)
        elif name == "Normalize":
            module = _with_features(module, read_optional_object(folder / path / "config.json"))
        dimension = module.output_dimension or dimension
        steps.append(module)
    file, inner = _transformer_config(folder, steps)
    outer = read_optional_object(folder / "config_sentence_transformers.json")
    prompts, prompt_name = outer.get("prompts"), outer.get("default_prompt_name")
    return Recipe(
        steps=tuple(steps),
        pooling=pooling,
        embedding_dimension=dimension,
        max_seq_length=_size(file, inner, "max_seq_length"),
        prompts={name: text for name, text in prompts.items() if isinstance(text, str)}
        if isinstance(prompts, dict)
        else {},
        default_prompt_name=prompt_name if isinstance(prompt_name, str) else None,
        include_prompt=include_prompt,
        lower_case=inner.get("do_lower_case") is True,
        truncate_dim=_size(folder / "config_sentence_transformers.json", outer, "truncate_dim"),
        dtype=_dtype(inner),
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


def _read_pooling(folder: Path, path: str) -> tuple[str, Module, bool]:
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
    return "+".join(modes), Module("Pooling", path, taken, given), config.get("include_prompt") is not False


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


def _dtype(config: Mapping[str, object]) -> str | None:
    """Dtype in the arguments that sentence-transformers hands to the model; `model_args` in versions before 6."""
    for key in ("model_kwargs", "model_args"):
        arguments = config.get(key)
        if isinstance(arguments, dict):
            named = arguments.get("dtype", arguments.get("torch_dtype"))
            if isinstance(named, str):
                return named.removeprefix("torch.")
    return None


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
