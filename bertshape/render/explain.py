"""What a newcomer needs to read a report: two or three sentences under each table, each with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from bertshape.render.escape import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bertshape.report.layer import Layer
    from bertshape.report.report import Report

_BERT = "Devlin et al. 2019, arXiv:1810.04805"
_SBERT = "Reimers and Gurevych 2019, arXiv:1908.10084"
_OUTPUTS = "huggingface.co/docs/transformers/main_classes/output"
_ATTENTION = "Vaswani et al. 2017, section 3.2.2, arXiv:1706.03762"


def explain_tokens(report: Report) -> RenderableType:
    """Why so many tokens."""
    rows = report.tokenization.rows
    row = rows[0]
    added = ", ".join(visible(token.token) for token in row.tokens if token.special and token.kind != "padding")
    which = "" if len(rows) == 1 else "Text 1: "
    count = (
        f"{which}{row.content} tokens come from the text, {row.special} are added by the tokenizer "
        f"({added or 'none'}), because the model was trained with them; sequence_length {len(row.tokens)} counts all. "
        f"A word that the vocabulary lacks becomes several tokens, each with a vector of its own. [{_BERT}, section 3]"
    )
    lines = [count]
    if report.tokenization.padded:
        lines.append(
            "Padding brings the texts of a batch to one length. attention_mask 0 keeps it out of attention, but not "
            f"out of a plain mean over the sequence. [{_SBERT}]"
        )
    return _block(*lines)


def explain_outputs(report: Report) -> RenderableType:
    """Where the sizes come from, and what takes them."""
    sizes = report.checkpoint.dimensions
    hidden_size, layers = sizes["hidden_size"], sizes["num_hidden_layers"]
    axes = (
        f"hidden_size {hidden_size} stands in config.json and is the same for every token and layer; batch_size is "
        f"the number of texts, sequence_length that of tokens. What you put on top works on the last axis alone: "
        f"nn.Linear({hidden_size}, n). [{_OUTPUTS}]"
    )
    lines = [axes]
    hidden_states = report.outputs.get("hidden_states")
    # Not all families give one a layer: Funnel pools between its blocks, CANINE runs a part on fewer positions.
    if hidden_states is not None and layers is not None and hidden_states.count == layers + 1:
        lines.append(
            f"hidden_states holds {layers} + 1 tensors: the embeddings come first, so hidden_states[{layers}] is the "
            f"last layer. [{_OUTPUTS}]"
        )
    return _block(*lines)


def explain_pooled(report: Report) -> RenderableType:
    """Which strategy is right."""
    declared = next((name for name, row in report.pooled.items() if row.declared), None)
    lines = []
    if declared is not None:
        lines.append(
            f"The checkpoint declares {declared}: it was trained with it, so use no other unless you train it anew. "
            f"[{_SBERT}, section 3]"
        )
    lines.append(
        "mean is right for a model that was trained for it, and the usual choice where none is declared; cls where "
        "the model was fine-tuned on the first token; pooler is a trained layer on that token, meant for next-sentence "
        f"prediction, and random where the checkpoint stores none. [{_SBERT}, section 6; {_BERT}, section 3.1]"
    )
    vectors = [row.shape for row in report.pooled.values() if row.shape is not None and len(row.shape.sizes) == 2]
    if vectors:
        vector_sizes = sorted({shape.sizes[-1] for shape in vectors})
        taken = " or ".join(f"nn.Linear({size}, n)" for size in vector_sizes[:3])
        lines.append(f"A classifier on such a vector begins with {taken}. [pytorch.org/docs/stable/nn.html]")
    return _block(*lines)


def explain_embedding(report: Report) -> RenderableType:
    """What encode gives."""
    last = report.embedding[-1].shape
    size = "of a size that is not known here" if last is None else f"of {last.sizes[-1]} numbers"
    return _block(
        f"encode() of sentence-transformers gives the vector after the last step, {size}; the pooled vector above is "
        "the one before the steps that follow Pooling. [sbert.net/docs/package_reference/sentence_transformer]"
    )


def explain_tasks(report: Report) -> RenderableType:
    """What a head is."""
    hidden_size = report.checkpoint.dimensions["hidden_size"]
    return _block(
        f"A head is one or two layers on the vectors above, from {hidden_size} numbers to one for each label (for "
        "masked-lm: for each token of the vocabulary). num_labels comes from id2label in config.json; a head that is "
        f"not in the weights must be trained before its numbers mean anything. [{_BERT}, section 4]"
    )


def explain_layers(report: Report) -> RenderableType:
    """What the tree shows."""
    heads = None if report.layers is None else _heads_inside(report.layers)
    split = (
        "" if heads is None else f"Query, key and value are split into {heads[0]} heads of {heads[1]} numbers each. "
    )
    return _block(
        f"{split}Every layer gives vectors of the size that it took, so that layers can be stacked; the "
        f"feed-forward part inside widens to intermediate_size. [{_ATTENTION}]"
    )


def _heads_inside(layer: Layer) -> tuple[int, int] | None:
    """Heads and the size of one, of the first part that has any: bottlenecks split less than hidden_size."""
    return layer.heads or next((heads for child in layer.children if (heads := _heads_inside(child))), None)


def _block(*lines: str) -> RenderableType:
    return Padding(Text("\n").join(Text(line, style="italic") for line in lines), (0, 0, 0, 2))
