"""The recipe of a checkpoint: what its sentence-transformers files say of how a text becomes a vector."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bertshape.checkpoint.steps import SENTENCE, TOKENS, Module, invalid, pooling_step, read_size, read_step
from bertshape.checkpoint.transformer_step import TransformerStep, read_transformer_step
from bertshape.errors import CheckpointError
from bertshape.files import exists, is_inside, read_json, read_optional_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONGEST_NAME = 255
"""Bytes of the name of a folder, on every common file system."""
_OWN_KIND = "SentenceTransformer"
_BUILT_IN_PROMPTS = ("query", "document")
"""Names that sentence-transformers knows without a file; their prompts are empty."""


@dataclass(frozen=True)
class Recipe:
    """What the files say of how a text becomes a vector: the one account of it that every command uses.

    A checkpoint without `modules.json` has a recipe too: no steps, and the defaults of the rest.

    Attributes:
        steps: The chain of `modules.json`, in order; empty where there is no such file.
        declared: Whether the files declare the steps; not where sentence-transformers makes them up.
        kind: What the files were saved as: `SentenceTransformer`, or `SparseEncoder`, `CrossEncoder` and so on.
        embedding_dimension: Size of the final vector, where the files say it.
        transformer: How texts get to the model, and what is taken of its outputs.
        prompts: Prompts by name, such as `query`.
        default_prompt_name: Name of the prompt that `encode` puts before each text unless asked otherwise.
        truncate_dim: Size that `encode` cuts the final vector to, where the files say it.
        error: Why its files cannot be read, where they cannot; the model itself can be used all the same.
    """

    steps: tuple[Module, ...] = ()
    declared: bool = True
    kind: str = _OWN_KIND
    embedding_dimension: int | None = None
    transformer: TransformerStep = field(default_factory=TransformerStep)
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    truncate_dim: int | None = None
    error: CheckpointError | None = None

    @property
    def has_chain(self) -> bool:
        """Whether it is known how a sentence embedding is made."""
        return bool(self.steps)

    @property
    def pooling(self) -> str | None:
        """Strategy in bertshape's notation, such as `mean` or `cls+mean`; None where no Pooling step is."""
        return next((step.pooling for step in self.steps if step.name == "Pooling"), None)

    @property
    def include_prompt(self) -> bool:
        """Whether the Pooling steps read the tokens of the prompt."""
        return all(step.include_prompt for step in self.steps)

    @property
    def prompt(self) -> str | None:
        """What `encode` puts before each text unless asked otherwise; None for nothing."""
        return self.prompts.get(self.default_prompt_name or "") or None

    @property
    def max_seq_length(self) -> int | None:
        """Number of tokens at which `encode` cuts, where the files say it."""
        step = self.transformer
        own = step.tokenizer_settings.get("model_max_length", step.max_seq_length)
        limit = own if step.call_max_length is None else step.call_max_length
        return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None

    def knows_prompt(self, name: str) -> bool:
        """Whether `encode(prompt_name=...)` takes a name."""
        return name in self.prompts or name in _BUILT_IN_PROMPTS

    def created(self, config: Mapping[str, object]) -> Recipe:
        """The same with the chain that sentence-transformers makes up where the files declare none.

        Args:
            config: Content of config.json.

        Raises:
            CheckpointError: The files declare something that cannot be read.
        """
        if self.error is not None:
            raise self.error
        if self.has_chain:
            return self
        declared = config.get("architectures")
        first = declared[0] if isinstance(declared, list) and declared else None
        causal = isinstance(first, str) and first.endswith("ForCausalLM") and bool(config.get("is_causal", True))
        steps = (Module("Transformer", "", gives=TOKENS), pooling_step("lasttoken" if causal else "mean"))
        # sentence-transformers reads its other files only beside a modules.json of its own kind.
        return Recipe(steps, declared=False, kind=self.kind)


def transformer_folder(folder: Path) -> Path:
    """Folder of config.json and the weights: old checkpoints keep them in `0_Transformer`.

    Where modules.json names a folder, sentence-transformers reads that one, even if another config.json lies above it.

    Raises:
        CheckpointError: There is a modules.json that cannot be read, and no config.json beside it.
    """
    beside = exists(folder / "config.json")
    try:
        if not exists(folder / "modules.json") or _kind(folder) != _OWN_KIND:
            return folder
        named = folder / _module_entries(folder)[0][1]
    except CheckpointError:
        if beside:
            return folder  # That of AutoModel, which reads nothing else; `read_recipe` says what is wrong.
        raise
    return named if exists(named / "config.json") or not beside else folder


def read_recipe(folder: Path) -> Recipe:
    """Read the sentence-transformers files of a folder; a file that is there but broken is said in the recipe.

    Args:
        folder: The checkpoint folder, the one with `modules.json` where there is one.
    """
    try:
        return _read(folder)
    except CheckpointError as error:
        return Recipe(error=error)


def _read(folder: Path) -> Recipe:
    file = folder / "config_sentence_transformers.json"
    outer = read_optional_object(file)
    kind = _kind(folder)
    if not exists(folder / "modules.json") or kind != _OWN_KIND:
        return Recipe(kind=kind)
    steps = [read_step(folder, *entry) for entry in _module_entries(folder)]
    transformer, steps = _with_transformer(folder, steps)
    prompts, prompt_name = outer.get("prompts"), outer.get("default_prompt_name")
    if "prompts" in outer and not isinstance(prompts, dict):
        raise invalid(file, f"prompts is {prompts!r}, expected an object of texts by name")
    truncate_dim = read_size(file, outer, "truncate_dim")
    sizes = [step.given_size for step in steps if step.given_size and step.gives == SENTENCE]
    return Recipe(
        steps=tuple(steps),
        kind=kind,
        embedding_dimension=min(sizes[-1], truncate_dim or sizes[-1]) if sizes else None,
        transformer=transformer,
        prompts=_prompts(prompts) if isinstance(prompts, dict) else {},
        default_prompt_name=prompt_name if isinstance(prompt_name, str) else None,
        truncate_dim=truncate_dim,
    )


def _kind(folder: Path) -> str:
    kind = read_optional_object(folder / "config_sentence_transformers.json").get("model_type")
    return kind if isinstance(kind, str) else _OWN_KIND


def _with_transformer(folder: Path, steps: list[Module]) -> tuple[TransformerStep, list[Module]]:
    """The settings of the Transformer step, and the steps with what they say of it."""
    at = next((index for index, step in enumerate(steps) if step.name == "Transformer"), None)
    if at is None:
        return TransformerStep(), steps
    said = read_transformer_step(folder / steps[at].path)
    problem = steps[at].problem or said.problem or ("it is not the first step" if at else None)
    known = replace(steps[at], gives=said.gives, output=said.output, problem=problem)
    return said, [*steps[:at], known, *steps[at + 1 :]]


def _prompts(prompts: Mapping[str, object]) -> dict[str, str]:
    """Prompts by name; null stands for an empty one."""
    return {name: text or "" for name, text in prompts.items() if isinstance(text, str | None)}


def _module_entries(folder: Path) -> list[tuple[str, str]]:
    """Class and folder of each step; of two steps of one name the later has the place of the earlier, as there."""
    path = folder / "modules.json"
    steps = read_json(path)
    if not isinstance(steps, list) or not steps:
        raise invalid(path, "expected an array of modules, at least one")
    entries: dict[str, tuple[str, str]] = {}
    for step in steps:
        fields = step if isinstance(step, dict) else {}
        kind, where, name = fields.get("type"), fields.get("path"), fields.get("name")
        if not (isinstance(kind, str) and isinstance(where, str) and isinstance(name, str)):
            raise invalid(path, 'each module needs a "type", a "path" and a "name", all strings')
        if not name or "." in name:
            raise invalid(path, f"the module name {name!r} is none that torch takes: not empty, and without a dot")
        if not is_inside(where):
            raise invalid(path, f"the module path {where!r} leaves the checkpoint folder")
        if any(len(part.encode(errors="surrogatepass")) > _LONGEST_NAME for part in where.split("/")):
            raise invalid(path, f"the module path {where[:20]!r}... is too long for the name of a folder")
        entries[name] = (kind, where)
    return list(entries.values())


def repeated_names(folder: Path) -> list[str]:
    """Names that modules.json gives to more than one step.

    Args:
        folder: The checkpoint folder, the one with `modules.json`.
    """
    steps: Any = read_json(folder / "modules.json")
    names = [step["name"] for step in steps]
    return sorted({name for name in names if names.count(name) > 1})
