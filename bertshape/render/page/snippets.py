"""Python that gives the same tensors: transformers for each strategy, sentence-transformers where declared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.errors import BertshapeError
from bertshape.pooling.notation import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.pooling.layer_ranges import Layers
    from bertshape.pooling.notation import Term
    from bertshape.report.report import Report

_MEAN = "(h * m[..., None]).sum(1) / m.sum(1, keepdim=True)"
_MAX = "h.masked_fill(m[..., None] == 0, -torch.inf).amax(1)"
_FORMULAS: Mapping[str, str] = {
    "cls": "h[torch.arange(len(h)), m.argmax(1)]",
    "mean": _MEAN,
    "max": _MAX,
    "mean_sqrt_len_tokens": "(h * m[..., None]).sum(1) / m.sum(1, keepdim=True).sqrt()",
    "weightedmean": "(h * (t := m.cumsum(1) * m)[..., None]).sum(1) / t.sum(1, keepdim=True)",
    "lasttoken": "h[torch.arange(len(h)), m.shape[1] - 1 - m.flip(1).argmax(1)]",
    "min": "h.masked_fill(m[..., None] == 0, torch.inf).amin(1)",
    "mean_unmasked": "h.mean(1)",
    "mean_no_special": "(h * (c := m * (1 - special))[..., None]).sum(1) / c.sum(1, keepdim=True)",
    "mean_max": f"torch.cat([{_MEAN}, {_MAX}], -1)",
    "tokens": "h",
}
"""Strategies on one tensor h of shape (batch_size, sequence_length, hidden_size) with the attention mask m."""
_OF_LAYERS: Mapping[str, tuple[str, str]] = {
    "first_last_avg": ("(output.hidden_states[1] + output.hidden_states[-1]) / 2", "mean"),
    "last4_mean": ("torch.stack(output.hidden_states[-4:]).mean(0)", "mean"),
    "last4_sum": ("torch.stack(output.hidden_states[-4:]).sum(0)", "mean"),
    "last4_concat": ("torch.cat(output.hidden_states[-4:], -1)", "mean"),
    "second_to_last": ("output.hidden_states[-2]", "mean"),
}
"""Strategies that make their h of hidden_states, each with the one that goes on from there."""
_WORDS = (
    "words = [[[p for p, w in enumerate(encoded.word_ids(i)) if w == n] for n in dict.fromkeys(encoded.word_ids(i))"
    " if n is not None] for i in range(len(h))]"
)
_JOIN = "torch.nn.utils.rnn.pad_sequence([torch.stack([{} for word in row]) for i, row in enumerate(words)], True)"
_OF_WORDS = {"words": _JOIN.format("h[i, word].mean(0)"), "words_first": _JOIN.format("h[i, word[0]]")}
LAST_HIDDEN_STATE = "last_hidden_state"
ENCODE = "encode()"


def snippets(report: Report) -> dict[str, str]:
    """Programs by the name of the tensor that they give; empty where there are no weights to load.

    Each leaves its tensor in `last_hidden_state`, `pooled` or `embeddings`.
    """
    facts = report.checkpoint
    if facts.source == "embedded" or facts.weights == "random":
        return {}
    programs = {}
    if LAST_HIDDEN_STATE in report.outputs:
        programs[LAST_HIDDEN_STATE] = _program(report, "", "last_hidden_state = output.last_hidden_state")
    for name, pooled in report.pooled.items():
        computed = _pooling(report, name) if pooled.shape is not None else None
        if computed is not None:
            programs[name] = _program(report, name, computed)
    if report.embedding and all(step.shape is not None for step in report.embedding):
        programs[ENCODE] = _encode(report)
    return programs


def _program(report: Report, strategy: str, computed: str) -> str:
    """Load, tokenize, run; then what is computed."""
    facts, batch = report.checkpoint, report.tokenization
    name = repr(facts.model) + (f", revision={facts.revision!r}" if facts.revision else "")
    pairs = any(row.pair is not None for row in batch.rows)
    given = ["texts", *(["pairs"] if pairs else []), f"padding={_padding(report)!r}"]
    if batch.truncation or batch.padding == "max_length":
        given.append(f"truncation={batch.truncation}, max_length={batch.max_length}")
    special = "special" in computed
    given += ['return_tensors="pt"', *(["return_special_tokens_mask=True"] if special else [])]
    layers = ", output_hidden_states=True" if "hidden_states[" in computed else ""
    lines = [
        "import torch",
        "from transformers import AutoModel, AutoTokenizer",
        "",
        *_texts(report, pairs=pairs),
        f"tokenizer = AutoTokenizer.from_pretrained({name})",
        f"encoded = tokenizer({', '.join(given)})",
        *(['special = encoded.pop("special_tokens_mask")'] if special else []),
        f'model = AutoModel.from_pretrained({name}, dtype="{facts.dtype}").eval()',
        "with torch.no_grad():",
        f"    output = model(**encoded{layers})",
    ]
    if strategy and strategy != "pooler":
        lines.append("h, m = output.last_hidden_state, encoded.attention_mask")
    return "\n".join([*lines, computed]) + "\n"


def _encode(report: Report) -> str:
    facts = report.checkpoint
    last = report.embedding[-1]
    name = repr(facts.model) + (f", revision={facts.revision!r}" if facts.revision else "")
    cut = f", truncate_dim={last.shape.sizes[-1]}" if last.shape is not None and last.name == "truncate_dim" else ""
    # The texts of a report have their prompt already.
    prompt = ', prompt=""' if any(found.code.startswith("default-prompt") for found in report.findings) else ""
    lines = [
        "from sentence_transformers import SentenceTransformer",
        "",
        *_texts(report, pairs=False),
        f"model = SentenceTransformer({name})",
        f"embeddings = model.encode(texts{prompt}{cut})",
    ]
    return "\n".join(lines) + "\n"


def _texts(report: Report, *, pairs: bool) -> list[str]:
    rows = report.tokenization.rows
    lines = [f"texts = {[row.text for row in rows]!r}"]
    return [*lines, f"pairs = {[row.pair for row in rows]!r}"] if pairs else lines


def _padding(report: Report) -> bool | str:
    ways: dict[str, bool | str] = {"longest": True, "max_length": "max_length", "none": False}
    return ways[report.tokenization.padding]


def _pooling(report: Report, name: str) -> str | None:
    """The lines that give `pooled`; None where a few lines cannot."""
    if name in _OF_WORDS:
        # Words of a pair are counted on over both texts, and a text without words has none to stack.
        plain = all(row.pair is None and max(row.word_indices(), default=-1) >= 0 for row in report.tokenization.rows)
        return f"{_WORDS}\npooled = {_OF_WORDS[name]}" if plain else None
    try:
        parts = [_term(term) for term in parse(name)]
    except BertshapeError:
        return None
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if len(known) == 1:
        return f"pooled = {known[0]}"
    return "parts = [\n" + "".join(f"    {part},\n" for part in known) + "]\npooled = torch.cat(parts, -1)"


def _term(term: Term) -> str | None:
    """One term as an expression."""
    if term.name == "pooler":
        return "output.pooler_output"
    if term.name in _OF_LAYERS:
        made, then = _OF_LAYERS[term.name]
        return _FORMULAS[then].replace("h *", f"({made}) *") if term.layers is None else None
    formula = _FORMULAS.get(term.name)
    if formula is None or term.layers is None:
        return formula
    return _on_layers(formula, term.layers)


def _on_layers(formula: str, layers: Layers) -> str:
    if layers.join is None:
        return re.sub(r"\bh\b", f"output.hidden_states[{layers.first}]", formula)
    ends = ":".join("" if end is None else str(end) for end in (layers.first, layers.last))
    each = f"[{formula} for h in output.hidden_states[{ends}]]"
    return f"torch.cat({each}, -1)" if layers.join == "concat" else f"torch.stack({each}).{layers.join}(0)"
