"""The table of strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.pooling import functions, reads
from bertshape.pooling.strategy import Strategy
from bertshape.shapes import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from bertshape.pooling.inputs import PoolingInputs
    from bertshape.pooling.reads import Positions, TokenWeights

_SBERT = "sentence-transformers Pooling; Reimers and Gurevych 2019, arXiv:1908.10084"
_BERT = "Devlin et al. 2019, section 5.3, arXiv:1810.04805"
NUM_WORDS = "num_words"


def _vector(
    name: str,
    formula: str,
    summary: str,
    source: str,
    function: Callable[[PoolingInputs], Tensor],
    read: Callable[[Positions], TokenWeights] = reads.attended,
    *,
    factor: int = 1,
    layers_needed: int = 0,
) -> Strategy:
    """A strategy that gives one vector per text."""
    hidden_size = HIDDEN_SIZE if factor == 1 else f"{factor}*{HIDDEN_SIZE}"
    return Strategy(name, formula, summary, source, (BATCH_SIZE, hidden_size), factor, layers_needed, function, read)


_ALL = (
    _vector("cls", "h[first]", "the first token, [CLS]", _SBERT, functions.cls, reads.first_attended),
    _vector("mean", "sum(m*h) / sum(m)", "{attended} attended tokens", _SBERT, functions.mean),
    _vector("max", "max(h where m)", "{attended} attended tokens", _SBERT, functions.maximum),
    _vector(
        "mean_sqrt_len_tokens",
        "sum(m*h) / sqrt(sum(m))",
        "{attended} attended tokens",
        _SBERT,
        functions.mean_sqrt_len_tokens,
    ),
    _vector(
        "weightedmean",
        "sum(t*m*h) / sum(t*m)",
        "{attended} attended tokens, later more",
        "Muennighoff 2022, arXiv:2202.08904",
        functions.weightedmean,
        reads.rising,
    ),
    _vector(
        "lasttoken",
        "h[last]",
        "the last attended token",
        "Neelakantan et al. 2022, arXiv:2201.10005",
        functions.lasttoken,
        reads.last_attended,
    ),
    _vector(
        "pooler",
        "tanh(W h[0] + b)",
        "the first token",
        "Devlin et al. 2019, arXiv:1810.04805",
        functions.pooler,
        reads.first_position,
    ),
    _vector("min", "min(h where m)", "{attended} attended tokens", "mirror image of max", functions.minimum),
    _vector(
        "mean_unmasked",
        "sum(h) / sequence_length",
        "{positions} positions, {padding} of them padding",
        "last_hidden_state.mean(dim=1), a common mistake",
        functions.mean_unmasked,
        reads.every_position,
    ),
    _vector(
        "mean_no_special",
        "sum(c*h) / sum(c)",
        "{content} content tokens (c = 1)",
        "mean without [CLS] and [SEP]",
        functions.mean_no_special,
        reads.content,
    ),
    _vector(
        "mean_max",
        "[mean, max]",
        "{attended} attended tokens",
        "Howard and Ruder 2018, arXiv:1801.06146",
        functions.mean_max,
        factor=2,
    ),
    _vector(
        "first_last_avg",
        "mean((h_1 + h_L) / 2)",
        "{attended} attended tokens",
        "Li et al. 2020 (BERT-flow), arXiv:2011.05864",
        functions.first_last_avg,
        layers_needed=1,
    ),
    _vector(
        "last4_mean",
        "last4_sum / 4",
        "{attended} attended tokens",
        _BERT,
        functions.last4_mean,
        layers_needed=4,
    ),
    _vector(
        "last4_sum",
        "mean(h_L-3 + ... + h_L)",
        "{attended} attended tokens",
        _BERT,
        functions.last4_sum,
        layers_needed=4,
    ),
    _vector(
        "last4_concat",
        "mean([h_L-3, ..., h_L])",
        "{attended} attended tokens",
        _BERT,
        functions.last4_concat,
        factor=4,
        layers_needed=4,
    ),
    _vector(
        "second_to_last",
        "mean(h_L-1)",
        "{attended} attended tokens",
        "bert-as-service",
        functions.second_to_last,
        layers_needed=2,
    ),
    Strategy(
        "tokens",
        "h of each token",
        "nothing: one vector per token",
        "last_hidden_state itself",
        (BATCH_SIZE, SEQUENCE_LENGTH, HIDDEN_SIZE),
        1,
        0,
        functions.tokens,
        reads.every_position,
    ),
    Strategy(
        "words",
        "mean(h) of each word",
        "the tokens of each word",
        "mean of subtokens; words_first takes the first",
        (BATCH_SIZE, NUM_WORDS, HIDDEN_SIZE),
        1,
        0,
        functions.words,
        reads.in_words,
    ),
    Strategy(
        "words_first",
        "h[first] of each word",
        "the first token of each word",
        _BERT,
        (BATCH_SIZE, NUM_WORDS, HIDDEN_SIZE),
        1,
        0,
        functions.words_first,
        reads.first_in_words,
    ),
)
STRATEGIES: Mapping[str, Strategy] = {strategy.name: strategy for strategy in _ALL}
"""All strategies by name, in the order in which they are shown."""
