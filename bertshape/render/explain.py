"""What a newcomer needs to read a report: a sentence or two under each table, each with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bertshape.render.escape import visible
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bertshape.report.layer import Layer
    from bertshape.report.report import Report

_BERT = "Devlin et al. 2019, arXiv:1810.04805"
_SBERT = "Reimers and Gurevych 2019, arXiv:1908.10084"
_OUTPUTS = "huggingface.co/docs/transformers/main_classes/output"
_ATTENTION = "Vaswani et al. 2017, section 3.2.2, arXiv:1706.03762"


def explain_tokens(report: Report) -> Text:
    """Why so many tokens."""
    rows = report.tokenization.rows
    row = rows[0]
    added = ", ".join(visible(token.token) for token in row.tokens if token.special and token.kind != "padding")
    which = "" if len(rows) == 1 else "Text 1: "
    come = "token comes" if row.content == 1 else "tokens come"
    says = (
        f"{which}{row.content} {come} from the text; the tokenizer adds {row.special} ({added or 'none'}), "
        f"because the model was trained with them."
    )
    if report.tokenization.padded:
        says += " Padding gives all texts one length; attention_mask 0 keeps it out of attention."
    return _block(says, f"{_BERT}, section 3")


def explain_outputs(report: Report) -> Text:
    """Where the sizes come from, and what takes them."""
    sizes = report.checkpoint.dimensions
    hidden_size, layers = sizes["hidden_size"], sizes["num_hidden_layers"]
    says = f"Each token has one vector of hidden_size {hidden_size} numbers, in every layer."
    hidden_states = report.outputs.get("hidden_states")
    # Not all families give one a layer: Funnel pools between its blocks, CANINE runs a part on fewer positions.
    if hidden_states is not None and layers is not None and hidden_states.count == layers + 1:
        says += f" hidden_states begins with the embeddings, so hidden_states[{layers}] is the last layer."
    return _block(says, _OUTPUTS)


def explain_pooled(report: Report) -> Text:
    """Which strategy is right."""
    declared = next((name for name, row in report.pooled.items() if row.declared), None)
    if declared is not None:
        says = f"The checkpoint declares {declared}: it was trained with it, so use no other unless you train it again."
        return _block(says, f"{_SBERT}, section 3")
    says = (
        "No strategy is declared: mean is the usual choice, cls where the model was fine-tuned on the first token. "
        "pooler is a layer trained for next-sentence prediction, and random where the checkpoint stores none."
    )
    return _block(says, f"{_SBERT}, section 6; {_BERT}, section 3.1")


def explain_chain(report: Report) -> Text:
    """What encode gives."""
    last = report.embedding[-1].shape
    size = "of a size that is not known here" if last is None else f"of {last.sizes[-1]} numbers"
    says = f"encode() of sentence-transformers gives the vector after the last step, {size}."
    return _block(says, "sbert.net/docs/package_reference/sentence_transformer")


def explain_tasks(report: Report) -> Text:
    """What a head is."""
    hidden_size = report.checkpoint.dimensions["hidden_size"]
    says = (
        f"A head is one or two layers on the vectors above, from {hidden_size} numbers to one for each label; a head "
        "that is not stored must be trained before its numbers mean anything."
    )
    return _block(says, f"{_BERT}, section 4")


def explain_layers(report: Report) -> Text:
    """What the tree shows."""
    heads = None if report.layers is None else _heads_inside(report.layers)
    split = (
        ""
        if heads is None
        else f"Query, key and value are split into {counted(heads[0], 'head')} of {heads[1]} numbers. "
    )
    return _block(f"{split}Every layer gives vectors of the size that it takes, so that layers stack.", _ATTENTION)


def _heads_inside(layer: Layer) -> tuple[int, int] | None:
    """Heads and the size of one, of the first part that has any: bottlenecks split less than hidden_size."""
    return layer.heads or next((heads for child in layer.children if (heads := _heads_inside(child))), None)


def _block(says: str, source: str) -> Text:
    return Text.assemble((says, "italic"), (f" [{source}]", "dim"))


EXPLAIN: Mapping[str, Callable[[Report], Text]] = {
    "tokens": explain_tokens,
    "outputs": explain_outputs,
    "pooled": explain_pooled,
    "chain": explain_chain,
    "tasks": explain_tasks,
    "layers": explain_layers,
}
"""What is said under each part of a report."""
