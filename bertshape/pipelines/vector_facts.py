"""What changes the vectors of a checkpoint and no shape: its recipe, its tokenizer's settings, keys of config.json."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

from bertshape.contract.expectations import CONFIG_PREFIX, PROMPT_PREFIX
from bertshape.predict.architecture import Dimensions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.checkpoint.steps import Module
    from bertshape.pipelines.model import Model
    from bertshape.report.check import Scalar

MODULE_PREFIX = "modules."
TOKENIZER_NAMES = ("padding_side", "truncation_side", "model_input_names", "special_tokens", "tokenizer_settings")
RECIPE_NAMES = (
    "modules",
    "saved_as",
    "max_seq_length",
    "truncation",
    "truncate_dim",
    "do_lower_case",
    "include_prompt",
    "default_prompt_name",
    "prompts",
    "processor_kwargs",
    "config_kwargs",
    "model_kwargs",
)
"""Names of what sentence-transformers' files say; besides them `modules.0` and `prompts.NAME`."""
# Keys of tokenizer_config.json that change the tokens; those that have a name of their own are left out.
_TOKENIZER_KEYS = frozenset(
    {
        "add_bos_token",
        "add_eos_token",
        "add_prefix_space",
        "do_basic_tokenize",
        "do_lower_case",
        "do_remove_accents",
        "do_subword_tokenize",
        "do_word_tokenize",
        "jumanpp_kwargs",
        "keep_accents",
        "legacy",
        "lowercase_and_remove_accent",
        "mecab_kwargs",
        "never_split",
        "normalization",
        "remove_space",
        "sp_model_kwargs",
        "split_by_punct",
        "split_special_tokens",
        "strip_accents",
        "subword_tokenizer_type",
        "sudachi_kwargs",
        "tokenize_chinese_chars",
        "tokenizer_class",
        "word_tokenizer_type",
    }
)
# Keys that say where a checkpoint comes from, how it was trained or saved, or what its heads do.
_IDLE = frozenset(
    {
        "_name_or_path",
        "_commit_hash",
        "architectures",
        "auto_map",
        "dtype",
        "gradient_checkpointing",
        "id2label",
        "initializer_range",
        "label2id",
        "model_type",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "tie_word_embeddings",
        "torch_dtype",
        "transformers_version",
        "use_cache",
    }
)


def fact_group(name: str) -> str:
    """The facts that a snapshot learned to write together with one, by the name of their kind; empty for the oldest."""
    if name in TOKENIZER_NAMES:
        return "tokenizer"
    if name in RECIPE_NAMES or name.startswith((MODULE_PREFIX, PROMPT_PREFIX)):
        return "recipe"
    return "config" if name.startswith(CONFIG_PREFIX) else ""


def config_facts(model: Model) -> dict[str, Scalar]:
    """Keys of config.json that the forward pass reads, dimensions aside, with defaults in their place.

    Of a family without a table, and of code that comes with a checkpoint, nobody knows which those are: then it is
    every key that may be one.
    """
    architecture, config = model.architecture, model.checkpoint.config
    family = architecture.family
    sizes = {field.name for field in fields(Dimensions)}
    sizes |= {architecture.config_key(name) for name in sizes}
    keys = {} if family is None else dict.fromkeys((*family.forward, *family.defaults))
    if family is None or "auto_map" in config:
        keys |= {key: None for key in sorted(config) if key not in _IDLE and "dropout" not in key}
    defaults = {} if family is None else dict(family.forward)
    values = dict(architecture.values)
    return {
        f"{CONFIG_PREFIX}{key}": as_scalar(values[key] if key in values else defaults.get(key))
        for key in keys
        if key not in sizes
    }


def tokenizer_facts(model: Model) -> dict[str, Scalar]:
    """How the tokenizer is set, as transformers reads its files."""
    tokenizer, config = model.tokenizer, model.checkpoint.tokenizer_config
    special = {
        role: f"{token} {tokenizer.backend.token_to_id(token)}"
        for role, token in sorted(tokenizer.special_tokens.items())
    }
    settings = {key: config[key] for key in sorted(_TOKENIZER_KEYS & config.keys()) if config[key] is not None}
    values = (
        tokenizer.padding_side,
        tokenizer.truncation_side,
        ", ".join(tokenizer.inputs),
        ", ".join(f"{role} {token}" for role, token in special.items()),
        settings,
    )
    return dict(zip(TOKENIZER_NAMES, map(as_scalar, values), strict=True))


def recipe_facts(model: Model) -> dict[str, Scalar]:
    """What sentence-transformers does to a text before and after the model, by the names of its files."""
    recipe = model.recipe
    facts: dict[str, Scalar] = dict.fromkeys(RECIPE_NAMES)
    if not (recipe.has_chain and recipe.declared):
        return facts
    step = recipe.transformer
    values = (
        ", ".join(module.name for module in recipe.steps),
        recipe.kind,
        recipe.max_seq_length,
        step.truncation,
        recipe.truncate_dim,
        step.lower_case,
        recipe.include_prompt,
        recipe.default_prompt_name,
        ", ".join(recipe.prompts),
        step.tokenizer_settings,
        step.config_settings,
        {} if step.dtype is None else {"dtype": step.dtype},
    )
    facts |= dict(zip(RECIPE_NAMES, map(as_scalar, values), strict=True))
    facts |= {f"{MODULE_PREFIX}{index}": ", ".join(_module(module)) for index, module in enumerate(recipe.steps)}
    return facts | {f"{PROMPT_PREFIX}{name}": prompt for name, prompt in recipe.prompts.items()}


def _module(module: Module) -> Iterator[str]:
    """A step and its settings, by the names of its config.json."""
    yield module.name
    if module.problem and module.name != "Transformer":
        yield module.problem  # Nothing of its settings was read.
        return
    if module.name == "Transformer":
        yield f"output {'.'.join(map(str, module.output))}"
    elif module.name == "Pooling":
        yield f"pooling_mode {module.pooling}"
        yield f"include_prompt {as_scalar(module.include_prompt)}"
    elif module.name == "Dense":
        yield f"activation_function {module.activation}"
        yield f"bias {as_scalar(module.bias)}"
        yield f"use_residual {as_scalar(module.residual)}"
    if module.input_dimension or module.output_dimension:
        yield f"takes {module.input_dimension} numbers of {module.takes}"
        yield f"gives {module.output_dimension} as {module.gives}"
    else:
        yield f"gives {module.gives}" if module.name == "Transformer" else f"takes {module.takes}, gives {module.gives}"
    if module.problem:
        yield module.problem


def as_scalar(value: object) -> Scalar:
    """A value of a JSON file as one number or one word; nothing and what is empty is None."""
    if value in (None, "", {}, []):
        return None
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, list):
        return ", ".join(str(as_scalar(item)) for item in value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def is_vector_fact(name: str) -> bool:
    """Whether a name is that of one of these, whatever the checkpoint."""
    return (
        name in RECIPE_NAMES
        or name in TOKENIZER_NAMES
        or name.startswith((CONFIG_PREFIX, MODULE_PREFIX, PROMPT_PREFIX))
    )


def facts_of(model: Model) -> dict[str, Scalar]:
    """All of them."""
    return config_facts(model) | tokenizer_facts(model) | recipe_facts(model)
