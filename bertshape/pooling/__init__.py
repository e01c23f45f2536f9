"""Pooling: from token vectors to one vector a text. A table of strategies, a pure tensor function each."""

from bertshape.pooling.grammar import GRAMMAR, Term, parse
from bertshape.pooling.inputs import PoolingInputs, Strategy
from bertshape.pooling.selection import PoolingFacts, Unavailable, predict_shape, select
from bertshape.pooling.table import STRATEGIES

__all__ = [
    "GRAMMAR",
    "STRATEGIES",
    "PoolingFacts",
    "PoolingInputs",
    "Strategy",
    "Term",
    "Unavailable",
    "parse",
    "predict_shape",
    "select",
]
