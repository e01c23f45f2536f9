"""What a person asks for, in the parts that commands share, checked as far as it can be without the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bertshape.errors import UsageError
from bertshape.pipelines.model_source import ModelSource, check_device
from bertshape.pipelines.output_paths import check_output
from bertshape.tokens.batch import check_unicode
from bertshape.tokens.pieces import check_size
from bertshape.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.report.report import Weights
    from bertshape.tokens.batch import Padding

DType = Literal["auto", "float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class RunOptions:
    """How to run it.

    Attributes:
        weights: `checkpoint` runs the stored weights, `random` seeded random ones, `none` predicts without a run;
            None takes the checkpoint's own where it has some.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Dtype of the parameters; `auto` is what transformers would load.
    """

    weights: Weights | None = None
    device: str = "auto"
    dtype: DType = "auto"

    def check(self) -> None:
        """Refuse what names no device.

        Raises:
            UsageError: It does not.
        """
        check_device(self.device)


@dataclass(frozen=True)
class LengthOptions:
    """How rows get their length.

    Attributes:
        max_length: Tokens that a row may have.
        truncation: Cut rows to `max_length`, or to the checkpoint's limit; None cuts where `max_length` is given.
        padding: How the rows of a batch get one length.
    """

    max_length: int | None = None
    truncation: bool | None = None
    padding: Padding = "longest"

    def check(self) -> None:
        """Refuse a length that is none.

        Raises:
            UsageError: It is less than 1.
        """
        if self.max_length is not None and self.max_length < 1:
            hint = "Pass a number of tokens, at least 1."
            raise UsageError(f"--max-length is {self.max_length}", hint=hint, code="max-length-invalid")


@dataclass(frozen=True)
class Prompting:
    """What to put before each text.

    Attributes:
        name: Name of one of the checkpoint's prompts.
        text: A prompt in so many words.
        none: Put nothing there, whatever the checkpoint's default is.
    """

    name: str | None = None
    text: str | None = None
    none: bool = False

    @property
    def asked(self) -> bool:
        """Whether anything is asked for, so that the checkpoint's default does not count."""
        return self.none or self.name is not None or self.text is not None

    def check(self) -> None:
        """Refuse two prompts at once.

        Raises:
            UsageError: More than one is asked for.
        """
        if self.none + (self.name is not None) + (self.text is not None) > 1:
            raise UsageError(
                "--prompt-name, --prompt and --no-prompt exclude each other",
                hint="Pass one of them.",
                code="prompts-contradict",
            )


@dataclass(frozen=True)
class Texts:
    """Texts that make one batch.

    Attributes:
        texts: At least one text.
        pairs: Second texts, as many as first ones; empty for none.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse texts that no tokenizer takes.

        Raises:
            UsageError: There is no text, a text is not valid Unicode or too long, or texts and pairs do not match.
        """
        if not self.texts:
            hint = 'Pass a text: bertshape inspect "This is an example sentence."; -i FILE reads texts, -i - stdin.'
            raise UsageError("there is no text to inspect", hint=hint, code="text-missing")
        if self.pairs and len(self.pairs) != len(self.texts):
            raise UsageError(
                f"{counted(len(self.texts), 'text')} and {counted(len(self.pairs), 'pair')}: each text needs its own",
                hint="Pass --pair once for each text, in the same order.",
                code="pairs-mismatch",
            )
        for kind, texts in (("text", self.texts), ("pair", self.pairs)):
            for index, text in enumerate(texts, start=1):
                check_unicode(text, f"{kind} {index}")
                check_size(text, f"{kind} {index}")


@dataclass(frozen=True)
class Wanted:
    """What to show of a batch.

    Attributes:
        pooling: Strategies; empty for all.
        tasks: Heads to put on the model, by task; `all` stands for all of them.
        layers: Look at the shapes inside.
        words: Show words beside tokens.
        attentions: Ask for attention weights too.
        truncate_dim: Cut the sentence embedding to so many numbers, as `encode(truncate_dim=...)` does.
        statistics: Say what the numbers are like.
    """

    pooling: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    layers: bool = False
    words: bool = False
    attentions: bool = False
    truncate_dim: int | None = None
    statistics: bool = False


@dataclass(frozen=True)
class SaveOptions:
    """Which tensors of a run go into a file.

    Attributes:
        path: The file, `.safetensors` or `.npz`.
        only: Patterns of the names to save, such as `pooled.*`; empty for all.
        hidden_states: Save every hidden state too.
    """

    path: Path
    only: tuple[str, ...] = ()
    hidden_states: bool = False

    def check(self) -> None:
        """Say before a run what would keep its tensors from being written after it.

        Raises:
            UsageError: The path is not that of such a file.
        """
        path = self.path
        if path.suffix not in (".safetensors", ".npz"):
            hint = "Name the file FILE.safetensors or FILE.npz."
            message = f"tensors cannot be written to {path}: its ending names no format"
            raise UsageError(message, hint=hint, code="save-format")
        check_output(path, "tensors")


@dataclass(frozen=True)
class InspectionRequest:
    """What to inspect, and how; the parts are those of every command."""

    texts: Texts
    source: ModelSource = field(default_factory=ModelSource)
    run: RunOptions = field(default_factory=RunOptions)
    lengths: LengthOptions = field(default_factory=LengthOptions)
    prompting: Prompting = field(default_factory=Prompting)
    wanted: Wanted = field(default_factory=Wanted)
    save: SaveOptions | None = None

    def check(self) -> None:
        """Refuse what cannot be carried out with any checkpoint.

        Raises:
            UsageError: A text, a length, a device or a file is not one.
        """
        self.texts.check()
        self.lengths.check()
        self.prompting.check()
        self.run.check()
        if self.save is None:
            return
        if self.run.weights == "none":
            hint = "Leave out --save, or --dry-run (--weights none)."
            raise UsageError("--save needs a run, and nothing runs", hint=hint, code="save-without-run")
        self.save.check()
