"""The computations, in tensor methods alone: this module needs no torch to be imported.

A row without any token to take gives zeros, never NaN (`max` in a folder's own chain: -inf, as sentence-transformers);
`cls` of such a row is position 0, as there. NaN or inf in a position that does not count stays out of the result.
Half precision is summed in float32, over tokens as sentence-transformers does, and over layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs


def masked_mean(vectors: Tensor, mask: Tensor, *, root: bool = False) -> Tensor:
    """Mean of the vectors where the mask is not zero, weighted by it.

    Args:
        vectors: Shape: (batch_size, sequence_length, hidden_size).
        mask: Weights. Shape: (batch_size, sequence_length).
        root: Divide by the square root of the sum of weights instead.

    Returns:
        Shape: (batch_size, hidden_size).
    """
    wide = widen(vectors)
    weights = mask.unsqueeze(-1).to(wide.dtype)
    total = weights.sum(dim=1).clamp(min=1e-9)
    # Filled, for zero times NaN is NaN.
    summed = (wide.masked_fill(weights == 0, 0) * weights).sum(dim=1)
    return (summed / (total.sqrt() if root else total)).to(vectors.dtype)


def widen(vectors: Tensor) -> Tensor:
    """Half precision as float32, anything else as it is; of the same shape."""
    return vectors.float() if vectors.element_size() < 4 else vectors


def concatenate(parts: list[Tensor]) -> Tensor:
    """Join along the last axis; torch.cat is no tensor method.

    Args:
        parts: Shape of each: (..., hidden_size), the axes before the last the same in all.

    Returns:
        Shape: (..., len(parts) * hidden_size).
    """
    sizes = [part.shape[-1] for part in parts]
    joined = parts[0].new_empty((*parts[0].shape[:-1], sum(sizes)))
    begin = 0
    for part, size in zip(parts, sizes, strict=True):
        joined[..., begin : begin + size] = part
        begin += size
    return joined


def cls(inputs: PoolingInputs) -> Tensor:
    """The first attended token: with left padding that is not position 0."""
    first = inputs.attention_mask.int().argmax(dim=1)
    return _take(inputs.last_hidden_state, first)


def mean(inputs: PoolingInputs) -> Tensor:
    """Mean of the attended tokens."""
    return masked_mean(inputs.last_hidden_state, inputs.attention_mask)


def maximum(inputs: PoolingInputs) -> Tensor:
    """Largest number of each feature among the attended tokens."""
    hidden = inputs.last_hidden_state
    masked = hidden.masked_fill(inputs.attention_mask.unsqueeze(-1) == 0, float("-inf"))
    return _fill_empty(masked.amax(dim=1), inputs.attention_mask, inputs.max_of_none)


def minimum(inputs: PoolingInputs) -> Tensor:
    """Smallest number of each feature among the attended tokens."""
    hidden = inputs.last_hidden_state
    masked = hidden.masked_fill(inputs.attention_mask.unsqueeze(-1) == 0, float("inf"))
    return _fill_empty(masked.amin(dim=1), inputs.attention_mask)


def mean_sqrt_len_tokens(inputs: PoolingInputs) -> Tensor:
    """Sum of the attended tokens over the square root of their number."""
    return masked_mean(inputs.last_hidden_state, inputs.attention_mask, root=True)


def weightedmean(inputs: PoolingInputs) -> Tensor:
    """Mean of the attended tokens, each weighted by its position, counted from 1 at the first attended one.

    Tokens of a prompt that is left out keep their places in this count, as in sentence-transformers.
    """
    mask = inputs.attention_mask
    first = (mask if inputs.whole_mask is None else inputs.whole_mask).int().argmax(dim=1, keepdim=True)
    positions = mask.new_ones(mask.shape).cumsum(dim=1) - first
    return masked_mean(inputs.last_hidden_state, mask * positions)


def lasttoken(inputs: PoolingInputs) -> Tensor:
    """The last attended token; zeros where none is."""
    mask = inputs.attention_mask.int()
    last = mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)
    return _fill_empty(_take(inputs.last_hidden_state, last), inputs.attention_mask)


def pooler(inputs: PoolingInputs) -> Tensor:
    """The model's own pooler_output: a dense layer, usually with tanh, on the first token."""
    assert inputs.pooler_output is not None
    return inputs.pooler_output


def mean_unmasked(inputs: PoolingInputs) -> Tensor:
    """Mean over all positions, padding included; wrong wherever there is padding."""
    return inputs.last_hidden_state.mean(dim=1)


def mean_no_special(inputs: PoolingInputs) -> Tensor:
    """Mean of the content tokens."""
    return masked_mean(inputs.last_hidden_state, inputs.attention_mask * (1 - inputs.special_tokens_mask))


def mean_max(inputs: PoolingInputs) -> Tensor:
    """`mean` and `max`, one after the other."""
    return concatenate([mean(inputs), maximum(inputs)])


def first_last_avg(inputs: PoolingInputs) -> Tensor:
    """Mean of the average of the first layer's and the last layer's output.

    BERT-flow takes hidden_states[1], the output of the first layer, as here; the code of SimCSE takes
    hidden_states[0], the embeddings.
    """
    first, last = inputs.hidden_states[1], inputs.hidden_states[-1]
    averaged = (widen(first) + widen(last)) / 2
    return masked_mean(averaged, inputs.attention_mask).to(last.dtype)


def last4_sum(inputs: PoolingInputs) -> Tensor:
    """Mean of the sum of the last four layers."""
    return _last4_sum(inputs).to(inputs.hidden_states[-1].dtype)


def last4_mean(inputs: PoolingInputs) -> Tensor:
    """Mean of the average of the last four layers."""
    return (_last4_sum(inputs) / 4).to(inputs.hidden_states[-1].dtype)


def last4_concat(inputs: PoolingInputs) -> Tensor:
    """Means of the last four layers, one after the other."""
    return concatenate([masked_mean(layer, inputs.attention_mask) for layer in inputs.hidden_states[-4:]])


def second_to_last(inputs: PoolingInputs) -> Tensor:
    """Mean of the last layer but one."""
    return masked_mean(inputs.hidden_states[-2], inputs.attention_mask)


def tokens(inputs: PoolingInputs) -> Tensor:
    """No pooling: a vector for each token."""
    return inputs.last_hidden_state


def words(inputs: PoolingInputs) -> Tensor:
    """Mean of each word's tokens; rows of texts with fewer words end in zeros.

    Returns:
        Shape: (batch_size, num_words, hidden_size).
    """
    hidden = widen(inputs.last_hidden_state)
    batch_size, _, hidden_size = hidden.shape
    inside = inputs.word_index >= 0
    # Tokens of no word are gathered in a column of their own, which is cut away.
    slots = inputs.word_index.masked_fill(~inside, inputs.num_words).unsqueeze(-1)
    sums = hidden.new_zeros((batch_size, inputs.num_words + 1, hidden_size))
    sums = sums.scatter_add(1, slots.expand_as(hidden), hidden)
    counts = hidden.new_zeros((batch_size, inputs.num_words + 1, 1))
    counts = counts.scatter_add(1, slots, counts.new_ones(slots.shape))
    return (sums / counts.clamp(min=1))[:, : inputs.num_words].to(inputs.last_hidden_state.dtype)


def words_first(inputs: PoolingInputs) -> Tensor:
    """The first token of each word; rows of texts with fewer words end in zeros.

    Returns:
        Shape: (batch_size, num_words, hidden_size).
    """
    index, hidden = inputs.word_index, inputs.last_hidden_state
    batch_size, sequence_length, hidden_size = hidden.shape
    positions = (index.new_ones(index.shape).cumsum(dim=1) - 1).int()
    # As in `words`, tokens of no word go to a column of their own.
    slots = index.masked_fill(index < 0, inputs.num_words)
    first = positions.new_full((batch_size, inputs.num_words + 1), sequence_length)
    first = first.scatter_reduce(1, slots, positions, "amin")[:, : inputs.num_words].long()
    where = first.clamp(max=sequence_length - 1).unsqueeze(-1).expand(-1, -1, hidden_size)
    return hidden.gather(1, where).masked_fill((first == sequence_length).unsqueeze(-1), 0)


def _last4_sum(inputs: PoolingInputs) -> Tensor:
    fourth, third, second, last = (widen(layer) for layer in inputs.hidden_states[-4:])
    return masked_mean(fourth + third + second + last, inputs.attention_mask)


def _take(vectors: Tensor, index: Tensor) -> Tensor:
    where = index.view(-1, 1, 1).expand(-1, 1, vectors.shape[-1])
    return vectors.gather(1, where).squeeze(1)


def _fill_empty(pooled: Tensor, mask: Tensor, value: float = 0.0) -> Tensor:
    return pooled.masked_fill(mask.sum(dim=1, keepdim=True) == 0, value)
