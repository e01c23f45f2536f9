"""What makes the same vectors again: a command line, and a program."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model
    from bertshape.report.which import VectorRecipe


def command_of(recipe: VectorRecipe, model: Model, texts: str) -> str | None:
    """`embed` with the options that make these vectors; None where it has none for a part of the recipe.

    Args:
        recipe: The recipe.
        model: The model.
        texts: The file of texts.
    """
    extra = recipe.normalize or recipe.truncate_dim or recipe.steps or recipe.dtype != "float32"
    if extra or recipe.lower_case != model.recipe.transformer.lower_case:
        return None
    words = ["bertshape", "embed", texts, "-m", model.checkpoint.name, "-o", "vectors.npz"]
    words += [] if recipe.declared_steps else ["--pooling", recipe.pooling]
    if recipe.prompt != (model.recipe.prompt or ""):
        words += ["--prompt", recipe.prompt] if recipe.prompt else ["--no-prompt"]
    words += ["--max-length", str(recipe.cut_to)] if recipe.cut_to else []
    return shlex.join(words)


def python_of(recipe: VectorRecipe, model: Model) -> str:
    """A program that leaves the vectors of `texts` in `vectors`."""
    lower = recipe.lower_case and not model.recipe.transformer.lower_case
    lines = ["texts = [text.lower() for text in texts]"] if lower else []
    lines += _by_steps(recipe, model) if recipe.steps else _by_pooling(recipe, model)
    unit = "vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)"
    lines += [unit] if recipe.normalize_whole else []
    lines += [f"vectors = vectors[:, :{recipe.truncate_dim}]"] if recipe.truncate_dim else []
    lines += [unit] if recipe.normalize else []
    lines += ["vectors = vectors.astype(numpy.float16)"] if recipe.dtype == "float16" else []
    uses = any("numpy." in line for line in lines)
    return "\n".join([*(["import numpy"] if uses else []), *lines]) + "\n"


def _by_pooling(recipe: VectorRecipe, model: Model) -> list[str]:
    options = [f"model={_text(model.checkpoint.name)}", f"prompt={_text(recipe.prompt)}"]
    options += [] if recipe.declared_steps else [f"pooling={_text(recipe.pooling)}"]
    options += [f"max_length={recipe.cut_to}"] if recipe.cut_to else []
    name = "sentence_embedding" if recipe.declared_steps else f"pooled.{recipe.pooling}"
    return [
        "from bertshape import embed_texts",
        "",
        f'embed_texts(texts, "vectors.npz", {", ".join(options)})',
        f'vectors = numpy.load("vectors.npz")[{_text(name)}]',
    ]


def _by_steps(recipe: VectorRecipe, model: Model) -> list[str]:
    pooling = [step.name for step in model.recipe.steps].index("Pooling")
    return [
        "from sentence_transformers import SentenceTransformer",
        "",
        f"model = SentenceTransformer({_text(model.checkpoint.name)})",
        f'model[{pooling}] = type(model[{pooling}])(model[{pooling}].embedding_dimension, "{recipe.pooling}")',
        *([f"model.max_seq_length = {recipe.cut_to}"] if recipe.cut_to else []),
        f"model = SentenceTransformer(modules=list(model)[:{pooling + 1 + len(recipe.steps)}])",
        f"vectors = model.encode(texts, prompt={_text(recipe.prompt)})",
    ]


def _text(value: str) -> str:
    """A string as Python writes it, in double quotes."""
    return json.dumps(value)
