"""From config.json to dimensions, outputs, usable length, and the name and shape of every backbone tensor."""

from bertshape.architectures.architecture import Architecture, Dimensions
from bertshape.architectures.family import Family, family_names, load_family
from bertshape.architectures.names import backbone_name, backbone_tensors, layer_index
from bertshape.architectures.resolve import resolve

__all__ = [
    "Architecture",
    "Dimensions",
    "Family",
    "backbone_name",
    "backbone_tensors",
    "family_names",
    "layer_index",
    "load_family",
    "resolve",
]
