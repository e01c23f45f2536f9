"""Pooling: from token vectors to one vector a text. A table of strategies, a pure tensor function each."""

from bertshape.pooling.inputs import PoolingInputs
from bertshape.pooling.selection import PoolingFacts, Unavailable, predict_shape, select
from bertshape.pooling.strategy import Strategy
from bertshape.pooling.table import STRATEGIES

__all__ = [
    "STRATEGIES",
    "PoolingFacts",
    "PoolingInputs",
    "Strategy",
    "Unavailable",
    "predict_shape",
    "select",
]
