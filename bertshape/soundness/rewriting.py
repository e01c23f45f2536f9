"""Commands for hints: Python in one line that changes the tensors of a checkpoint's weight files."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint


def rewriting_command(checkpoint: Checkpoint, change: str = "") -> str:
    """A command that changes the stored tensors.

    Shards and pickles become one file, which transformers takes before the others.

    Args:
        checkpoint: The checkpoint.
        change: Python that changes `w`, a dict of the tensors by name; `torch` is there. Empty for nothing.
    """
    headers = checkpoint.headers
    files, load = json.dumps(list(headers.files) if headers else []), "load_file(f)"
    if headers and not headers.is_safetensors:
        inside = f"[{quoted(headers.inside)}]" if headers.inside else ""
        load = f'torch.load(f, map_location="cpu", weights_only=True){inside}'
    # A copy: what load_file gives may be the file itself, which is written over.
    lines = [
        "import torch",
        "from safetensors.torch import load_file, save_file",
        f"w = {{k: v.clone() for f in {files} for k, v in {load}.items() if torch.is_tensor(v)}}",
        *([change] if change else []),
        'save_file(w, "model.safetensors", metadata={"format": "pt"})',
    ]
    return f"cd {shlex.quote(str(checkpoint.folder))} && python -c {shlex.quote('; '.join(lines))}"


def quoted(text: str) -> str:
    """A string as Python writes it, in double quotes, so that the command needs no escapes of the shell."""
    return json.dumps(text)
