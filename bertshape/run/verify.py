"""Ask sentence-transformers for the vectors of a few texts, and compare them with those in a file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentence_transformers import SentenceTransformer

from bertshape.errors import one_line
from bertshape.run.loading import quiet
from bertshape.run.observation import Compared
from bertshape.run.read_vectors import read_vectors

if TYPE_CHECKING:
    import torch

    from bertshape.run.request import Encoding

_NAME = "sentence_embedding"


def largest_difference(encoding: Encoding) -> Compared:
    """Load the model anew with sentence-transformers, run it, and compare; no code of the folder runs.

    Args:
        encoding: Which texts, and where their vectors are.
    """
    own = _read(encoding)
    arguments = {} if encoding.dtype == "auto" else {"dtype": encoding.dtype}
    try:
        with quiet():
            model = SentenceTransformer(
                str(encoding.folder), device=encoding.device, local_files_only=True, model_kwargs=arguments
            )
            given = model.encode(
                list(encoding.texts), convert_to_tensor=True, show_progress_bar=False, **encoding.options
            )
    except Exception as error:  # whatever keeps it from loading or running
        return Compared(None, f"it fails with {type(error).__name__}: {one_line(error)}")
    theirs = given.detach().cpu()
    if theirs.shape != own.shape:
        return Compared(None, f"they have {theirs.shape[-1]} numbers each in place of {own.shape[-1]}")
    worst = float((own.double() - theirs.double()).abs().max())
    return Compared(worst, "") if math.isfinite(worst) else Compared(None, "some numbers are not finite")


def _read(encoding: Encoding) -> torch.Tensor:
    """The vectors of these texts as they lie in the file. Shape: (texts, embedding_dimension)."""
    rows = list(encoding.rows)
    return read_vectors(encoding.vectors, _NAME, rows)
