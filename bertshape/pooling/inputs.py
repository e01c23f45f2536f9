"""What a pooling strategy is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PoolingInputs:
    """The tensors of one batch.

    Attributes:
        last_hidden_state: Shape: (batch_size, sequence_length, hidden_size).
        attention_mask: 1 where the model attends. Shape: (batch_size, sequence_length).
        special_tokens_mask: 1 for special tokens and padding. Shape: (batch_size, sequence_length).
        word_index: Index of each token's word, -1 for none. Shape: (batch_size, sequence_length).
        num_words: Largest number of words in one text.
        hidden_states: num_hidden_layers + 1 tensors: embeddings, then layers.
            Shape of each: (batch_size, sequence_length, hidden_size).
        pooler_output: Shape: (batch_size, hidden_size); None where the model has no pooler.
    """

    last_hidden_state: Tensor
    attention_mask: Tensor
    special_tokens_mask: Tensor
    word_index: Tensor
    num_words: int
    hidden_states: tuple[Tensor, ...]
    pooler_output: Tensor | None
