"""What a checkpoint was made for, where that is not one vector per text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.checkpoint.checkpoint import Checkpoint

_KINDS: Mapping[str, tuple[str, str]] = {
    "cross-encoder": (
        "a cross-encoder",
        "it scores pairs of texts, and its token vectors were never trained to be pooled",
    ),
    "classifier": ("a text classifier", "its token vectors were never trained to be pooled"),
    "sparse-encoder": (
        "a sparse encoder (SPLADE)",
        "it gives a weight for each word of the vocabulary, not a dense vector",
    ),
    "late-interaction": (
        "a late-interaction model (ColBERT)",
        "it gives one vector per token, and texts are compared token by token",
    ),
}
_SAVED_AS = {
    "CrossEncoder": "cross-encoder",
    "SparseEncoder": "sparse-encoder",
    "MultiVectorEncoder": "late-interaction",
    "ColBERT": "late-interaction",
}
_SPARSE_STEPS = frozenset({"SpladePooling", "SparseStaticEmbedding", "SparseAutoEncoder", "MLMTransformer"})
_COLBERT_CLASSES = frozenset({"HF_ColBERT", "ColBERT", "BertForColBERT", "ColBERTModel"})
_COLBERT_PROJECTION = "linear.weight"
_CROSS_ENCODER_KEYS = ("sbert_ce_default_activation_function",)


def purpose_findings(checkpoint: Checkpoint) -> list[Finding]:
    """Name a checkpoint that was made for something else than one vector per text.

    Args:
        checkpoint: The checkpoint. Where its recipe is one that sentence-transformers makes up, a vector is about to
            be made of it, and the finding is a warning; else it is a note.
    """
    kind, where = _kind(checkpoint)
    if kind is None:
        return []
    what, consequence = _KINDS[kind]
    return [
        Finding(
            kind,
            "note" if checkpoint.recipe.declared else "warning",
            f"{checkpoint.name} is {what} ({where}): {consequence}",
            "Take it for what it was made for, or pass a checkpoint that was trained for sentence embeddings.",
            where=where,
        )
    ]


def _kind(checkpoint: Checkpoint) -> tuple[str | None, str]:
    """What it is, and the place that shows it."""
    recipe, config = checkpoint.recipe, checkpoint.config
    if recipe.kind in _SAVED_AS:
        return _SAVED_AS[recipe.kind], "config_sentence_transformers.json model_type"
    if any(step.name in _SPARSE_STEPS for step in recipe.steps):
        return "sparse-encoder", "modules.json"
    if any(step.kind.startswith("pylate.") for step in recipe.steps):
        return "late-interaction", "modules.json"
    if recipe.has_chain and recipe.declared:
        return None, ""
    classes = config.get("architectures")
    named = {name for name in classes if isinstance(name, str)} if isinstance(classes, list) else set()
    if named & _COLBERT_CLASSES:
        return "late-interaction", "config.json architectures"
    if _has_projection(checkpoint):
        return "late-interaction", f"stored {_COLBERT_PROJECTION}"
    own = config.get("sentence_transformers")
    if isinstance(own, dict) and "activation_fn" in own:
        return "cross-encoder", "config.json sentence_transformers"
    key = next((key for key in _CROSS_ENCODER_KEYS if key in config), None)
    if key is not None:
        return "cross-encoder", f"config.json {key}"
    if not recipe.declared and any(name.endswith("ForSequenceClassification") for name in named):
        # Only where a vector is about to be made of it: as a classifier it is what it should be.
        return "classifier", "config.json architectures"
    return None, ""


def _has_projection(checkpoint: Checkpoint) -> bool:
    """Whether a matrix is stored that takes each token's vector to a smaller one, as ColBERT's first code names it."""
    headers = checkpoint.headers
    tensor = None if headers is None else headers.tensors.get(_COLBERT_PROJECTION)
    return tensor is not None and len(tensor.shape) == 2
