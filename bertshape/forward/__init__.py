"""The only importer of torch and of transformers' models. No tensor leaves this package."""

from bertshape.forward.observation import ForwardRequest, Loading, Observation, Observed
from bertshape.forward.run import Runner

__all__ = ["ForwardRequest", "Loading", "Observation", "Observed", "Runner"]
