"""Weight files read by their headers alone: names, dtypes and shapes of the tensors, never their data.

A safetensors file begins with the length of its header and the header, a JSON object; everything else follows from
it. Reading a 90 MB checkpoint this way takes about 10 kB. The format, and the checks that a reader owes it, are
described at https://huggingface.co/docs/safetensors.
"""

from bertshape.weights.collection import (
    INDEX_FILE,
    SINGLE_FILE,
    OpenSource,
    read_headers,
    read_indexed,
    read_local,
    read_single,
)
from bertshape.weights.header import MAX_HEADER_BYTES, read_header
from bertshape.weights.sources import ByteSource, FileSource, MissingWeightsError
from bertshape.weights.tensors import FileHeader, TensorInfo, WeightHeaders

__all__ = [
    "INDEX_FILE",
    "MAX_HEADER_BYTES",
    "SINGLE_FILE",
    "ByteSource",
    "FileHeader",
    "FileSource",
    "MissingWeightsError",
    "OpenSource",
    "TensorInfo",
    "WeightHeaders",
    "read_header",
    "read_headers",
    "read_indexed",
    "read_local",
    "read_single",
]
