"""What `encode` of sentence-transformers does to a text that AutoTokenizer and AutoModel do not do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bertshape.checkpoint.recipe import repeated_names
from bertshape.files import exists
from bertshape.report.finding import Finding
from bertshape.soundness.purpose import purpose_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.recipe import Recipe

_OUTER = "config_sentence_transformers.json"
_INNER = "sentence_bert_config.json"


def recipe_findings(checkpoint: Checkpoint) -> list[Finding]:
    """How a text becomes a vector, wherever that is more than the model and one pooling.

    Args:
        checkpoint: The checkpoint.
    """
    recipe = checkpoint.recipe
    findings = purpose_findings(checkpoint)
    if not (recipe.has_chain and recipe.declared):
        return findings or [*_undeclared(checkpoint)]
    own = (*_names(checkpoint), *_folders(checkpoint), *_prompts(recipe), *_before(recipe), *_after(recipe))
    return [*findings, *own]


def _undeclared(checkpoint: Checkpoint) -> Iterator[Finding]:
    recipe = checkpoint.recipe
    made_up = not recipe.declared
    if not made_up and (checkpoint.location.source == "embedded" or _has_task_head(checkpoint)):
        return
    pooling = recipe.created(checkpoint.config).pooling
    yield Finding(
        "pooling-undeclared",
        "warning" if made_up else "note",
        f"{checkpoint.name} declares no pooling (no modules.json): sentence-transformers makes up {pooling} pooling, "
        + ("and so does embed" if made_up else "and so would embed"),
        "Look up which pooling its authors used; inspect and embed take its name as --pooling.",
        where="modules.json",
        actual="none",
    )


def _has_task_head(checkpoint: Checkpoint) -> bool:
    """Whether it was saved for a task, where nobody asks for sentence embeddings."""
    declared = checkpoint.config.get("architectures")
    first = declared[0] if isinstance(declared, list) and declared else None
    return isinstance(first, str) and "For" in first and not first.endswith(("ForMaskedLM", "ForPreTraining"))


def _names(checkpoint: Checkpoint) -> Iterator[Finding]:
    for name in repeated_names(checkpoint.location.folder):
        yield Finding(
            "step-name-repeated",
            "warning",
            f"modules.json names several steps {name!r}: SentenceTransformer keeps the last of them, in the place "
            "of the first, and so do inspect and embed",
            "Give each step a name of its own, as sentence-transformers numbers them.",
            where="modules.json name",
            actual=name,
        )


def _folders(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Two models in one folder: the one that modules.json names, and the one at the top."""
    path = checkpoint.recipe.steps[0].path
    top = checkpoint.location.folder
    if not path or checkpoint.recipe.steps[0].name != "Transformer":
        return
    if checkpoint.folder == top:
        yield Finding(
            "step-config-missing",
            "error",
            f"modules.json names {path} as the folder of the model, and it holds no config.json: SentenceTransformer "
            "fails; the config.json at the top is read here",
            "Restore the folder from the original checkpoint.",
            where=f"{path}/config.json",
            expected="a configuration",
            actual="none",
        )
    elif exists(top / "config.json") and "model_type" in (top / "config.json").read_text(errors="replace"):
        yield Finding(
            "two-models",
            "warning",
            f"there is a config.json at the top and one in {path}: AutoModel reads the first, sentence-transformers "
            "the one that modules.json names, and so does bertshape",
            f"Pass the folder {path} itself, or remove the files at the top.",
            where="modules.json",
            actual=path,
        )


def _prompts(recipe: Recipe) -> Iterator[Finding]:
    name = recipe.default_prompt_name
    if name is not None and not recipe.knows_prompt(name):
        yield Finding(
            "default-prompt-missing",
            "error",
            f"{_OUTER} has no prompt {name!r}, its default_prompt_name: SentenceTransformer does not load",
            "Add it to prompts, or remove default_prompt_name.",
            where=f"{_OUTER} default_prompt_name",
            expected=", ".join(recipe.prompts) or "none",
            actual=name,
        )
    asked = [named for named, text in recipe.prompts.items() if text]
    if name is None and asked:
        yield Finding(
            "prompts-not-default",
            "note",
            f"{_OUTER} has prompts ({', '.join(asked)}) and no default_prompt_name: encode() puts none before a text "
            "unless it is asked to, and so does embed",
            f"If the model was trained with them, ask for them: --prompt-name {asked[0]}.",
            where=f"{_OUTER} default_prompt_name",
            actual="none",
        )
    if recipe.prompt is not None:
        yield Finding(
            "default-prompt",
            "note",
            f"encode() puts the prompt {recipe.prompt!r} before each text (default_prompt_name), AutoTokenizer none",
            f"embed does too; inspect does with --prompt-name {name}.",
            where=f"{_OUTER} default_prompt_name",
            actual=recipe.prompt,
        )
    if not recipe.include_prompt and any(recipe.prompts.values()):
        message = "encode() leaves the tokens of a prompt out of pooling (include_prompt)"
        where = next(step.path for step in recipe.steps if not step.include_prompt)
        yield Finding("prompt-not-pooled", "note", message, where=f"{where}/config.json include_prompt", actual="false")


def _before(recipe: Recipe) -> Iterator[Finding]:
    step = recipe.transformer
    if step.lower_case:
        message = "encode() makes each text lower case before the tokenizer reads it (do_lower_case)"
        yield Finding("lower-case", "note", message, "embed does too.", where=f"{_INNER} do_lower_case", actual="true")
    for what, key, settings in (
        ("tokenizer", "processor_kwargs", step.tokenizer_settings),
        ("config", "config_kwargs", step.config_settings),
        ("model", "model_kwargs", {} if step.dtype is None else {"dtype": step.dtype}),
    ):
        if settings:
            shown = _shown(settings)
            message = f"encode() loads the {what} with {shown} ({key}), the Auto classes without"
            yield Finding(f"{what}-settings", "note", message, "embed does too.", where=f"{_INNER} {key}", actual=shown)


def _after(recipe: Recipe) -> Iterator[Finding]:
    for step in recipe.steps:
        if step.own_activation:
            yield Finding(
                "activation-not-trusted",
                "warning",
                f"{step.path}/config.json names the activation {step.own_activation}, which is code outside torch: "
                "SentenceTransformer takes Tanh in its place unless it is given trust_remote_code, and so does embed",
                "Look up what the model was trained with, and name the class of torch.nn that does the same.",
                where=f"{step.path}/config.json activation_function",
                expected="a class of torch.nn",
                actual=step.own_activation,
            )
    size = recipe.truncate_dim
    if size is not None:
        message = f"encode() cuts the vector to its first {size} numbers (truncate_dim)"
        yield Finding("truncate-dim", "note", message, where=f"{_OUTER} truncate_dim", actual=size)


def _shown(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in settings.items())
