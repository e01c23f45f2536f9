"""What a person asks for, checked as far as it can be without the checkpoint."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bertshape.errors import UsageError
from bertshape.tokens.batch import check_unicode

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.report.report import Weights
    from bertshape.tokens.batch import Padding

_DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,4})?|mps", re.ASCII)
DType = Literal["auto", "float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class InspectionRequest:
    """What to inspect, and how.

    Attributes:
        texts: At least one text; several make one padded batch.
        pairs: Second texts, as many as first ones; empty for none.
        model: Folder, Hub id or `embedded:` name; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        weights: `checkpoint` runs the stored weights, `random` seeded random ones, `none` predicts without a run;
            None takes the checkpoint's own where it has some.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Dtype of the parameters; `auto` keeps the stored one.
        pool: Strategies wanted; empty for all.
        max_length: Tokens a row may have.
        truncation: Cut rows to `max_length`, or to the checkpoint's limit; None cuts where `max_length` is given.
        padding: How rows are brought to one length.
        attentions: Ask for attention weights too.
        truncate_dim: Cut the sentence embedding to so many numbers, as `encode(truncate_dim=...)` does.
        tasks: Heads to put on the model, by task; `all` stands for all of them.
        layers: Look at the shapes inside.
        words: Tell words from tokens.
        save: File that the tensors of the run are written to, `.safetensors` or `.npz`.
        save_only: Patterns of the names to save, such as `pooled.*`; empty for all.
        hidden_states: Save every hidden state too.
        progress: Draw a progress bar on stderr while weights download.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] = ()
    model: str | None = None
    revision: str | None = None
    offline: bool = False
    weights: Weights | None = None
    device: str = "auto"
    dtype: DType = "auto"
    pool: tuple[str, ...] = ()
    max_length: int | None = None
    truncation: bool | None = None
    padding: Padding = "longest"
    attentions: bool = False
    truncate_dim: int | None = None
    tasks: tuple[str, ...] = ()
    layers: bool = False
    words: bool = False
    save: Path | None = None
    save_only: tuple[str, ...] = ()
    hidden_states: bool = False
    progress: bool = False

    def check(self) -> None:
        """Refuse what cannot be carried out with any checkpoint.

        Raises:
            UsageError: There is no text, a text is not valid Unicode, or texts and pairs do not match.
        """
        if not self.texts:
            hint = 'Pass a text: bertshape inspect "This is an example sentence."'
            raise UsageError("there is no text to inspect", hint=hint, code="text-missing")
        if self.pairs and len(self.pairs) != len(self.texts):
            raise UsageError(
                f"{len(self.texts)} texts and {len(self.pairs)} pairs: each text needs its own",
                hint="Pass --pair once for each text, in the same order.",
                code="pairs-mismatch",
            )
        self.check_options()
        for index, text in enumerate(self.texts, start=1):
            check_unicode(text, f"text {index}")
        for index, text in enumerate(self.pairs, start=1):
            check_unicode(text, f"pair {index}")

    def check_options(self) -> None:
        """Refuse options that mean nothing, whatever the texts.

        Raises:
            UsageError: A length, a device or a file is not one.
        """
        if self.max_length is not None and self.max_length < 1:
            hint = "Pass a number of tokens, at least 1."
            raise UsageError(f"--max-length is {self.max_length}", hint=hint, code="max-length-invalid")
        check_device(self.device)
        if self.save_only and self.save is None:
            hint = "Name the file that they go into: --save FILE.safetensors."
            raise UsageError("--save-only names tensors, and no --save is given", hint=hint, code="save-missing")
        if self.save is not None:
            _check_file(self.save)


def check_device(device: str) -> None:
    """Refuse what names no device.

    Raises:
        UsageError: It does not.
    """
    if not _DEVICE.fullmatch(device):
        hint = "Use auto, cpu, cuda, cuda:N or mps."
        raise UsageError(f"--device {device} is not a device", hint=hint, code="device-invalid")


def _check_file(path: Path) -> None:
    """Say before a run what would keep its tensors from being written after it."""
    if path.suffix not in (".safetensors", ".npz"):
        hint = "Name the file FILE.safetensors or FILE.npz."
        raise UsageError(
            f"tensors cannot be written to {path}: the ending tells the format", hint=hint, code="save-format"
        )
    if "\0" in str(path):
        raise UsageError(
            "tensors cannot be written to a path with a NUL byte", hint="Pass the path of a file.", code="save-path"
        )
    # Not Path.is_dir: what may not be looked at is for the writing to report.
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        what = "is a folder" if os.path.isdir(path) else "is in a folder that does not exist"
        raise UsageError(
            f"tensors cannot be written to {path}: it {what}", hint="Pass the path of a file.", code="save-path"
        )
