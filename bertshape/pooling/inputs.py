"""What a pooling strategy is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        max_of_none: What `max` gives where no token is left to take.
        whole_mask: `attention_mask` as it was, where tokens of a prompt were taken out of it; None elsewhere.
    """

    last_hidden_state: Tensor
    attention_mask: Tensor
    special_tokens_mask: Tensor
    word_index: Tensor
    num_words: int
    hidden_states: tuple[Tensor, ...]
    pooler_output: Tensor | None
    max_of_none: float = 0.0
    whole_mask: Tensor | None = None

    def without(self, prompt_length: int) -> PoolingInputs:
        """The same with so many of the first attended tokens of each row taken out of the mask.

        Args:
            prompt_length: Tokens of the prompt, with the special ones before it.
        """
        if not prompt_length:
            return self
        mask = self.attention_mask
        positions = mask.new_ones(mask.shape).cumsum(dim=1) - 1
        first = mask.int().argmax(dim=1, keepdim=True)
        return replace(self, attention_mask=mask * (positions >= first + prompt_length), whole_mask=mask)
