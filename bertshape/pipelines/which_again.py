"""What makes the same vectors again: a command line, and a program."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.run.recipes import SENTENCE_MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.pipelines.model import Model
    from bertshape.pipelines.which_request import WhichRequest
    from bertshape.report.which import VectorRecipe


@dataclass(frozen=True)
class Again:
    """Writes what makes the vectors of a recipe again.

    Attributes:
        recipe: The recipe.
        model: The model.
        request: What `which` was asked for.
        batch_size: Texts that must run together where padding changes the vectors; None for any number.
    """

    recipe: VectorRecipe
    model: Model
    request: WhichRequest
    batch_size: int | None

    def command(self, texts: Sequence[str]) -> str | None:
        """`embed` with the options that make these vectors; None where it has none for a part of the recipe.

        Args:
            texts: The file of texts, and the options that read it.
        """
        recipe = self.recipe
        extra = recipe.normalize or recipe.normalize_whole or recipe.steps or recipe.dtype != "float32"
        extra = extra or (recipe.truncate_dim is not None and not recipe.declared_steps)
        if extra or recipe.lower_case != self._lower_case:
            return None
        words = ["bertshape", "embed", *texts, "-m", self.model.checkpoint.name, "-o", "vectors.npz"]
        words += ["--revision", self.request.source.revision] if self.request.source.revision else []
        words += [] if recipe.declared_steps else ["--pooling", recipe.pooling]
        if recipe.prompt != (self.model.recipe.prompt or ""):
            words += ["--prompt", recipe.prompt] if recipe.prompt else ["--no-prompt"]
        words += ["--max-length", str(recipe.cut_to)] if recipe.cut_to else []
        words += ["--truncate-dim", str(recipe.truncate_dim)] if recipe.truncate_dim else []
        words += ["--batch-size", str(self.batch_size)] if self.batch_size else []
        words += ["--dtype", self.request.run.dtype] if self.request.run.dtype != "auto" else []
        words += ["--allow-unsound"] if self.model.verdict.errors else []
        return shlex.join(words)

    def python(self) -> str:
        """A program that leaves the vectors of `texts` in `vectors`; empty where there is none."""
        recipe = self.recipe
        kept = self._lower_case and not recipe.lower_case
        library = bool(recipe.steps) or kept
        known = recipe.declared_steps or recipe.steps or recipe.pooling in SENTENCE_MODES
        if library and not (known and "Pooling" in self._names):
            return ""
        lower = recipe.lower_case and not self._lower_case
        lines = ["texts = [text.lower() for text in texts]"] if lower else []
        prompt = _text(recipe.prompt.lower() if lower else recipe.prompt)
        lines += self._by_library(prompt, kept=kept) if library else self._by_embed(prompt)
        unit = "vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)"
        lines += [unit] if recipe.normalize_whole else []
        lines += [f"vectors = vectors[:, :{recipe.truncate_dim}]"] if recipe.truncate_dim else []
        lines += [unit] if recipe.normalize else []
        lines += ["vectors = vectors.astype(numpy.float16)"] if recipe.dtype == "float16" else []
        rounded = "vectors = torch.from_numpy(vectors).bfloat16().float().numpy()"
        lines += [rounded] if recipe.dtype == "bfloat16" else []
        imports = [f"import {name}" for name in ("numpy", "torch") if any(f"{name}." in line for line in lines)]
        return "\n".join([*imports, *lines]) + "\n"

    @property
    def _lower_case(self) -> bool:
        return self.model.recipe.transformer.lower_case

    @property
    def _names(self) -> list[str]:
        return [step.name for step in self.model.recipe.steps]

    def _by_embed(self, prompt: str) -> list[str]:
        recipe, source, dtype = self.recipe, self.request.source, self.request.run.dtype
        options = [f"model={_text(self.model.checkpoint.name)}", f"prompt={prompt}"]
        options += [f"revision={_text(source.revision)}"] if source.revision else []
        options += [] if recipe.declared_steps else [f"pooling={_text(recipe.pooling)}"]
        options += [f"max_length={recipe.cut_to}"] if recipe.cut_to else []
        options += [f"batch_size={self.batch_size}"] if self.batch_size else []
        options += [f"dtype={_text(dtype)}"] if dtype != "auto" else []
        options += ["allow_unsound=True"] if self.model.verdict.errors else []
        name = "sentence_embedding" if recipe.declared_steps else f"pooled.{recipe.pooling}"
        return [
            "from bertshape import embed_texts",
            "",
            f'embed_texts(texts, "vectors.npz", {", ".join(options)})',
            f'vectors = numpy.load("vectors.npz")[{_text(name)}]',
        ]

    def _by_library(self, prompt: str, *, kept: bool) -> list[str]:
        recipe = self.recipe
        pooling = self._names.index("Pooling")
        step = f"model[{pooling}]"
        other = [f'{step} = type({step})({step}.embedding_dimension, "{recipe.pooling}")']
        steps = pooling + 1 + len(recipe.steps)
        revision = self.request.source.revision
        given = _text(self.model.checkpoint.name) + (f", revision={_text(revision)}" if revision else "")
        normalizer = "tokenizer.backend_tokenizer.normalizer"
        return [
            "from sentence_transformers import SentenceTransformer",
            *(["from transformers import AutoTokenizer"] if kept else []),
            "",
            f"model = SentenceTransformer({given})",
            *([f"model.{normalizer} = AutoTokenizer.from_pretrained({given}).{normalizer[10:]}"] if kept else []),
            *([] if recipe.declared_steps else other),
            *([f"model.max_seq_length = {recipe.cut_to}"] if recipe.cut_to else []),
            *([] if recipe.declared_steps else [f"model = SentenceTransformer(modules=list(model)[:{steps}])"]),
            f"vectors = model.encode(texts, prompt={prompt}, batch_size={self.batch_size or 32})",
        ]


def _text(value: str) -> str:
    """A string as Python writes it, in double quotes where it holds none."""
    shown = repr(value)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in shown else shown
