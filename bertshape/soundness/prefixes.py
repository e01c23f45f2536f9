"""A prefix of all stored names that transformers does not know: of DataParallel, a compiled or a wrapped model."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from bertshape.predict.tensor_names import recognised
from bertshape.report.finding import Finding
from bertshape.soundness.rewriting import quoted, rewriting_command

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture

_ASKED = 10_000
_LONGEST = 4
"""Parts of a prefix; `_orig_mod.module.0.auto_model.` is the longest that wrappers make."""
_FROM = {
    "module.": "as torch.nn.DataParallel writes them",
    "_orig_mod.": "as torch.compile writes them",
    "0.auto_model.": "as a whole SentenceTransformer writes them",
    "base_model.model.": "as peft writes them",
}


def foreign_prefix(checkpoint: Checkpoint, architecture: Architecture) -> str | None:
    """The prefix without which the stored names are those of the family; None where they are that as they stand."""
    family, headers = architecture.family, checkpoint.headers
    if family is None or not family.has_template or headers is None or not headers.tensors:
        return None
    names = dict(islice(headers.tensors.items(), _ASKED))
    best, most = None, recognised(names, family) + len(names) // 2
    if most >= len(names):
        return None
    first = next(iter(names)).split(".")
    for length in range(1, min(_LONGEST, len(first) - 1) + 1):
        # Heads beside a wrapped backbone may lack it: the prefix need not be that of every name.
        for prefix in {".".join(name.split(".")[:length]) + "." for name in names}:
            inner = {name.removeprefix(prefix): row for name, row in names.items() if name.startswith(prefix)}
            count = recognised(inner, family) if len(inner) > most else 0
            if count > most:
                best, most = prefix, count
    return best


def without_prefix(checkpoint: Checkpoint, prefix: str) -> Checkpoint:
    """The checkpoint as it would be with the names that transformers looks for."""
    headers = checkpoint.headers
    if headers is None:
        return checkpoint
    tensors = {
        name.removeprefix(prefix): replace(row, name=name.removeprefix(prefix)) for name, row in headers.tensors.items()
    }
    return replace(checkpoint, headers=replace(headers, tensors=tensors))


def prefix_finding(checkpoint: Checkpoint, prefix: str) -> Finding:
    """Names that begin with something that transformers does not know: it would load none of them."""
    tensors = checkpoint.headers.tensors if checkpoint.headers else {}
    count = sum(name.startswith(prefix) for name in tensors)
    origin = next((f", {words}" for known, words in _FROM.items() if prefix.startswith(known)), "")
    change = f"w = {{k.removeprefix({quoted(prefix)}): v for k, v in w.items()}}"
    return Finding(
        "names-prefixed",
        "error",
        f"{count} of {len(tensors)} stored names begin with {prefix}{origin}; transformers looks for them without it, "
        "and would fill the model with random numbers",
        f"Rename them: {rewriting_command(checkpoint, change)}",
        where=next((name for name in tensors if name.startswith(prefix)), None),
        expected="names without it",
        actual=prefix,
    )
