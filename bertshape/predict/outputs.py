"""Checkpoint x tokenization -> the shape of every input, output and pooled vector, without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.pooling.shapes import PoolingFacts, Unavailable, predict_shape
from bertshape.report.report import OutputFacts, PooledFacts
from bertshape.shapes import BATCH_SIZE, DTYPE_BYTES, HIDDEN_SIZE, NUM_ATTENTION_HEADS, SEQUENCE_LENGTH, TensorShape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.pooling.strategy import CountName, Strategy
    from bertshape.predict.architecture import Architecture
    from bertshape.tokens.batch import Tokenization

INPUT_AXES = (BATCH_SIZE, SEQUENCE_LENGTH)


def predict_inputs(architecture: Architecture, tokenization: Tokenization) -> dict[str, TensorShape]:
    """Shapes of the tensors that the model is given.

    Each has shape (batch_size, sequence_length), dtype int64.
    """
    names = ["input_ids", "attention_mask"]
    if architecture.accepts_token_type_ids and "token_type_ids" in tokenization.inputs:
        names.append("token_type_ids")
    shape = TensorShape(INPUT_AXES, (tokenization.batch_size, tokenization.sequence_length), "int64")
    return dict.fromkeys(names, shape)


def predict_outputs(
    architecture: Architecture, tokenization: Tokenization, dtype: str, *, attentions: bool
) -> dict[str, OutputFacts]:
    """Shapes of the model's outputs.

    Args:
        architecture: Dimensions and family.
        tokenization: The batch.
        dtype: Dtype of the parameters, and so of the outputs.
        attentions: Whether attention weights are asked for.

    Returns:
        Shapes by name, without those that are only known by running.
    """
    batch, length = tokenization.batch_size, tokenization.sequence_length
    dimensions = architecture.dimensions
    hidden = TensorShape((*INPUT_AXES, HIDDEN_SIZE), (batch, length, dimensions.hidden_size), dtype)
    outputs = {}
    if architecture.has_last_hidden_state:
        outputs["last_hidden_state"] = OutputFacts(hidden)
    if architecture.has_pooler:
        outputs["pooler_output"] = OutputFacts(
            TensorShape((BATCH_SIZE, architecture.pooler_axis), (batch, architecture.pooler_size), dtype)
        )
    layers = tuple(f"layer {index}" for index in range(1, architecture.layer_outputs + 1))
    dtypes = architecture.dtypes_of_states(dtype)
    outputs["hidden_states"] = OutputFacts(hidden, count=len(layers) + 1, labels=("embeddings", *layers), dtypes=dtypes)
    memory = _memory(architecture, hidden)
    if memory is not None:
        outputs["mems"] = OutputFacts(memory, count=len(layers), labels=("embeddings", *layers[:-1]))
    if attentions and architecture.gives_attentions and dimensions.num_attention_heads is not None:
        axes = (BATCH_SIZE, NUM_ATTENTION_HEADS, SEQUENCE_LENGTH, SEQUENCE_LENGTH)
        each = (batch, dimensions.num_attention_heads, length, length)
        outputs["attentions"] = OutputFacts(TensorShape(axes, each, dtype), count=len(layers), labels=layers)
    return {name: facts for name, facts in outputs.items() if name not in architecture.observed_only}


def _memory(architecture: Architecture, hidden: TensorShape) -> TensorShape | None:
    """What XLNet keeps of a layer: of the first positions up to `reuse_len` the last ones up to `mem_len`."""
    family = architecture.family
    if family is None or "mems" not in family.outputs or not architecture.holds("use_mems_eval"):
        return None
    batch, length, hidden_size = hidden.sizes
    kept = [limit for key in ("reuse_len", "mem_len") if (limit := architecture.number(key)) > 0]
    sizes = (min([length, *kept]), batch, hidden_size)
    return TensorShape((SEQUENCE_LENGTH, BATCH_SIZE, HIDDEN_SIZE), sizes, hidden.dtype)


def pooling_facts(architecture: Architecture, batch: tuple[int, int, int], dtype: str) -> PoolingFacts:
    """What the shape of a pooled vector depends on.

    Args:
        architecture: Dimensions and family.
        batch: Its batch_size, sequence_length and number of words.
        dtype: Dtype of the outputs.
    """
    # Without vectors a token only the pooler's is left, which may have a size of its own.
    size = architecture.dimensions.hidden_size if architecture.has_last_hidden_state else architecture.pooler_size
    return PoolingFacts(
        *batch,
        hidden_size=size,
        num_hidden_layers=architecture.layer_outputs,
        has_pooler=architecture.has_pooler,
        has_last_hidden_state=architecture.has_last_hidden_state,
        dtype=dtype,
        dtype_of_layers=max(architecture.dtypes_of_states(dtype), default=dtype, key=DTYPE_BYTES.__getitem__),
        family_known=architecture.family is not None,
        even_hidden_states="hidden_states" not in architecture.observed_only,
    )


def predict_pooled(
    strategies: Iterable[Strategy],
    architecture: Architecture,
    tokenization: Tokenization,
    dtype: str,
    *,
    declared: str | None,
) -> dict[str, PooledFacts]:
    """Shape of every strategy's vector, or the reason why it has none.

    Args:
        strategies: The strategies asked for.
        architecture: Dimensions and family.
        tokenization: The batch.
        dtype: Dtype of the outputs.
        declared: Strategy that the checkpoint itself declares.
    """
    batch = tokenization.batch_size, tokenization.sequence_length, tokenization.num_words
    facts = pooling_facts(architecture, batch, dtype)
    counts = _counts(tokenization)
    spans: dict[str, str] = {name: _span(values) for name, values in counts.items()}
    pooled = {}
    own = architecture.family.pooler_formula if architecture.family else None
    for strategy in strategies:
        shape = predict_shape(strategy, facts)
        missing = shape.reason if isinstance(shape, Unavailable) else None
        pooled[strategy.name] = PooledFacts(
            formula=(own if strategy.name == "pooler" else None) or strategy.formula,
            over=first_token(architecture, tokenization) if strategy.name == "cls" else strategy.over(spans),
            shape=None if isinstance(shape, Unavailable) else shape,
            reason=missing,
            declared=strategy.name == declared,
            counts={name: values for name, values in counts.items() if f"{{{name}}}" in strategy.summary},
        )
    return pooled


def first_token(architecture: Architecture, tokenization: Tokenization) -> str:
    """What the first token is that `cls` takes, in words."""
    if architecture.is_causal:
        return "the first token; causal: sees itself alone"
    firsts = [next((token for token in row.tokens if token.attention_mask), None) for row in tokenization.rows]
    if all(token is not None and token.special for token in firsts):
        return (
            "the first token, [CLS]" if firsts[0] and firsts[0].token == "[CLS]" else "the first token, a special one"
        )
    return "the first token, which is one of the text"


def _counts(tokenization: Tokenization) -> dict[CountName, tuple[int, ...]]:
    """What strategies average over, in numbers: one for each text."""
    rows = tokenization.rows
    return {
        "attended": tuple(row.content + row.special for row in rows),
        "content": tuple(row.content for row in rows),
        "padding": tuple(row.padding for row in rows),
        "positions": tuple(len(row.tokens) for row in rows),
    }


def _span(values: tuple[int, ...]) -> str:
    """One number for the whole batch, or the range over its texts."""
    return str(min(values)) if len(set(values)) == 1 else f"{min(values)}-{max(values)}"
