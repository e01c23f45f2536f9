"""The only importer of torch and of transformers' models. No tensor leaves this package."""

from bertshape.forward.embedding import Chain
from bertshape.forward.observation import ForwardRequest, Loading, Observation, Observed, ObservedHead, Plan, Saving
from bertshape.forward.run import Runner
from bertshape.forward.vectors import VectorJob, Vectors

__all__ = [
    "Chain",
    "ForwardRequest",
    "Loading",
    "Observation",
    "Observed",
    "ObservedHead",
    "Plan",
    "Runner",
    "Saving",
    "VectorJob",
    "Vectors",
]
