"""The vectors of `embed` against those of `SentenceTransformer(folder).encode(texts)`, by the folder's own defaults."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

from bertshape import embed_texts
from bertshape.errors import BertshapeError
from tests.differential.sentence_folders import Maker

if TYPE_CHECKING:
    import random
    from pathlib import Path

_WORDS = [
    "This",
    "is",
    "an",
    "example",
    "sentence",
    "CAFÉ",
    "long",
    "words;",
    "[MASK]",
    "<mask>",
    "and",
    "the",
    "Σας",
    "東京",
]
_HALF = (torch.float16, torch.bfloat16)


def check(rng: random.Random, folder: Path) -> str:
    """One folder, and a few texts of every length."""
    Maker(rng, folder).make()
    texts = [" ".join(rng.choices(_WORDS, k=rng.choice([0, 1, 3, 8, 25, 60]))) for _ in range(rng.choice([1, 3, 5]))]
    return compare(folder, texts)


def compare(folder: Path, texts: list[str]) -> str:
    """What differs between the two; stopping with a reason is no difference."""
    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    logging.getLogger("sentence_transformers").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    own = _own(folder, texts)
    if own is None:
        return ""
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        theirs: Any = model.encode(texts, convert_to_tensor=True, show_progress_bar=False)
    except Exception as error:
        return f"sentence-transformers fails, and embed does not: {type(error).__name__}: {error}"
    if own.shape != theirs.shape:
        return f"shapes: {tuple(own.shape)} against {tuple(theirs.shape)}"
    tolerance = 0.05 if theirs.dtype in _HALF else 1e-5
    worst = (own.double() - theirs.double()).abs().max()
    scale = max(1.0, float(theirs.double().abs().max()))
    return f"off by {worst:.3g}" if not worst <= tolerance * scale else ""


def _own(folder: Path, texts: list[str]) -> torch.Tensor | None:
    path = folder / "own.safetensors"
    try:
        report = embed_texts(texts, path, model=folder, device="cpu")
    except BertshapeError as error:
        (folder / "stop.txt").write_text(f"{error.code}: {error.message}")
        return None
    if not report.written:
        errors = [finding.message for finding in report.findings if finding.severity == "error"]
        (folder / "stop.txt").write_text("\n".join(errors))
        return None
    return load_file(path)["sentence_embedding"]
