"""The steps of modules.json that come after the model, each with what its own config.json says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.files import exists, read_json_object, read_optional_object

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
SENTENCE = "sentence_embedding"
TOKENS = "token_embeddings"
TANH = "torch.nn.modules.activation.Tanh"
"""What a Dense step does that names no activation, or one outside torch: that is code, and is never run."""
_DENSE_LIKE = {"Dense": ("in_features", "out_features"), "LayerNorm": ("dimension", "dimension")}
_FOLLOWED = frozenset({"Transformer", "Pooling", "Normalize", "Dropout", *_DENSE_LIKE})
_OWN_PACKAGE = "sentence_transformers."
_ACCEPTED = {
    "Pooling": {*_OLD_MODES, "embedding_dimension", "word_embedding_dimension", "pooling_mode", "include_prompt"},
    "LayerNorm": {"dimension"},
}
"""Keys of config.json that the step's class takes; Dense and Normalize pass over others."""
_GONE = frozenset({"ALBERT", "BERT", "CamemBERT", "DistilBERT", "RoBERTa", "T5", "XLMRoBERTa", "XLNet"})
"""Classes of sentence-transformers before 0.4, in whose place there is Transformer now."""
REFUSED = "SentenceTransformer refuses"


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
        own_activation: The class that config.json names where that is code, and Tanh stands in its place.
        bias: Whether a Dense step adds a bias.
        residual: Whether a Dense step adds what it takes to what it gives.
        pooling: Strategies of a Pooling step in bertshape's notation, such as `mean` or `cls+mean`.
        include_prompt: Whether a Pooling step reads the tokens of the prompt.
        output: What a Transformer step takes of the model's outputs: a name, and an index into what is a tuple.
        kind: Class of the step with its package; empty for one that no file declares.
        problem: Why the step cannot be followed, as far as the files show it; None where they show nothing.
        missing_file: The file that the step needs and that is not there.
    """

    name: str
    path: str
    input_dimension: int | None = None
    output_dimension: int | None = None
    takes: str = SENTENCE
    gives: str = SENTENCE
    activation: str = TANH
    own_activation: str = ""
    bias: bool = True
    residual: bool = False
    pooling: str = "mean"
    include_prompt: bool = True
    output: tuple[str | int, ...] = ("last_hidden_state",)
    kind: str = ""
    problem: str | None = None
    missing_file: str | None = None

    @property
    def refused(self) -> bool:
        """Whether sentence-transformers itself cannot load the step."""
        return self.problem is not None and REFUSED in self.problem

    @property
    def has_weights(self) -> bool:
        """Whether the step has numbers of its own."""
        return self.name in _DENSE_LIKE

    @property
    def given_size(self) -> int | None:
        """Vector size that the step gives: GLU halves what a Dense step says."""
        size = self.output_dimension
        return size // 2 if size and self.activation.endswith(".GLU") else size

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all tensors that the step has, by name; empty where its config.json does not say their sizes."""
        taken, given = self.input_dimension, self.output_dimension
        if not self.has_weights or taken is None or given is None:
            return {}
        if self.name == "LayerNorm":
            return {"norm.weight": (given,), "norm.bias": (given,)}
        bias = {"linear.bias": (given,)} if self.bias else {}
        residual = {"residual.weight": (given, taken)} if self.residual and taken != given else {}
        return {"linear.weight": (given, taken), **bias, **residual}


def read_step(folder: Path, kind: str, path: str) -> Module:
    """Read one step of a chain; of a Transformer step only its name and its folder.

    Args:
        folder: The checkpoint folder, the one with `modules.json`.
        kind: Class of the step with its package, as `modules.json` says it.
        path: Folder of the step.

    Raises:
        CheckpointError: Its config.json is broken.
    """
    name = kind.rpartition(".")[2]
    problem = None
    if not kind.startswith(_OWN_PACKAGE):
        problem = f"{kind} is code outside sentence-transformers, which runs it only with trust_remote_code=True"
    elif name in _GONE:
        problem = f"modules.json has {kind}, which {REFUSED}: its place has {_OWN_PACKAGE}models.Transformer"
    elif name not in _FOLLOWED:
        problem = f"bertshape does not follow the module {name}"
    if problem is not None:
        return Module(name, path, kind=kind, problem=problem)
    file = f"{path}/config.json"
    if name in ("Pooling", *_DENSE_LIKE) and not exists(folder / path / "config.json"):
        return Module(name, path, kind=kind, problem=f"{file} is missing", missing_file=file)
    odd = _unknown_keys(folder, name, path)
    problem = f"{file} has {odd[0]}, which {REFUSED}" if odd else None
    return replace(_read_known(folder, name, path), kind=kind, problem=problem)


def _unknown_keys(folder: Path, name: str, path: str) -> list[str]:
    accepted = _ACCEPTED.get(name)
    return (
        []
        if accepted is None
        else [key for key in read_json_object(folder / path / "config.json") if key not in accepted]
    )


def _read_known(folder: Path, name: str, path: str) -> Module:
    if name == "Pooling":
        return _read_pooling(folder, path)
    if name in _DENSE_LIKE:
        return _read_dense_like(folder, name, path)
    if name == "Normalize":
        return _with_features(Module(name, path), read_optional_object(folder / path / "config.json"))
    return Module(name, path, gives=TOKENS if name == "Transformer" else SENTENCE)


def pooling_step(pooling: str, path: str = "", taken: int | None = None, *, include_prompt: bool = True) -> Module:
    """A Pooling step.

    Args:
        pooling: Its strategies, such as `cls+mean`.
        path: Its folder; empty for one that no file declares.
        taken: Size of a token's vector, where it is said.
        include_prompt: Whether it reads the tokens of the prompt.
    """
    given = taken * (pooling.count("+") + 1) if taken else None
    return Module("Pooling", path, taken, given, takes=TOKENS, pooling=pooling, include_prompt=include_prompt)


def _read_pooling(folder: Path, path: str) -> Module:
    file = folder / path / "config.json"
    config = read_json_object(file)
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for field, mode in _OLD_MODES.items() if config.get(field)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or not modes or any(mode not in _MODES for mode in modes):
        raise invalid(file, f"pooling_mode is {modes!r}, expected one or several of {', '.join(_MODES)}")
    taken = read_size(file, config, "embedding_dimension") or read_size(file, config, "word_embedding_dimension")
    return pooling_step("+".join(modes), path, taken, include_prompt=bool(config.get("include_prompt", True)))


def _read_dense_like(folder: Path, name: str, path: str) -> Module:
    file = folder / path / "config.json"
    config = read_json_object(file)
    taken, given = _DENSE_LIKE[name]
    module = Module(name, path, read_size(file, config, taken), read_size(file, config, given))
    if name != "Dense":
        return module  # LayerNorm reads and writes the sentence embedding whatever its config.json says.
    activation = config.get("activation_function", TANH)
    if not isinstance(activation, str):
        raise invalid(file, f"activation_function is {activation!r}, expected the name of a class of torch.nn")
    return replace(
        _with_features(module, config),
        activation=activation if activation.startswith("torch.") else TANH,
        own_activation="" if activation.startswith("torch.") else activation,
        bias=bool(config.get("bias", True)),
        residual=bool(config.get("use_residual")),
    )


def _with_features(module: Module, config: Mapping[str, object]) -> Module:
    """Names of the features that a step reads and writes; it writes what it reads unless it says otherwise."""
    takes, gives = config.get("module_input_name"), config.get("module_output_name")
    taken = takes if isinstance(takes, str) else SENTENCE
    return replace(module, takes=taken, gives=gives if isinstance(gives, str) else taken)


def read_size(file: Path, config: Mapping[str, object], field: str) -> int | None:
    """A positive whole number, or None where the field is not there.

    Raises:
        CheckpointError: It is something else.
    """
    value = config.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise invalid(file, f"{field} is {value!r}, expected a positive whole number")
    return value


def invalid(file: Path, what: str) -> CheckpointError:
    """The error for a sentence-transformers file that says what cannot be.

    Args:
        file: The file.
        what: What is wrong, expected and found.
    """
    return CheckpointError(
        f"{file}: {what}",
        hint="Save the checkpoint again with sentence-transformers, or remove modules.json.",
        code="sentence-transformers-invalid",
    )
