"""What a run is asked for, and what it showed: plain Python, no tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bertshape.checkpoint.steps import Module
    from bertshape.corpus.text_file import Record
    from bertshape.pooling.strategy import Strategy
    from bertshape.predict.architecture import Architecture
    from bertshape.predict.heads import Head
    from bertshape.report.layer import Layer
    from bertshape.tokens.encode import EncodedRow


@dataclass(frozen=True)
class ForwardRequest:
    """What to run.

    Attributes:
        folder: Folder of config.json and weights; None runs random weights.
        config: Content of config.json.
        architecture: Dimensions and family.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Dtype of the parameters, by name; `auto` leaves it to transformers, for stored weights alone.
        safetensors: Whether the weights are in safetensors files; pickles otherwise.
        attentions: Whether attention weights are wanted; only the eager implementation gives them.
        weight_bytes: Bytes of the weight files, where they are known.
    """

    folder: Path | None
    config: Mapping[str, object]
    architecture: Architecture
    device: str
    dtype: str
    safetensors: bool
    attentions: bool
    weight_bytes: int | None = None


@dataclass(frozen=True)
class Saving:
    """Which tensors of a run go into a file.

    Attributes:
        path: The file, whose ending names its format.
        only: Patterns of the names wanted, such as `pooled.*`; empty for all.
        hidden_states: Whether every hidden state is wanted too.
        about: What the file says of itself, in strings.
    """

    path: Path
    only: tuple[str, ...]
    hidden_states: bool
    about: Mapping[str, str]


@dataclass(frozen=True)
class Chain:
    """The steps that can be followed.

    Attributes:
        steps: From the Transformer on, as many as were predicted to give a shape.
        folder: Folder of the checkpoint, which the steps' folders are in; None where weights are random.
        truncate_dim: Size that the final vector is cut to, if any.
        complete: Whether these are all the steps, so that their end is the sentence embedding.
    """

    steps: tuple[Module, ...]
    folder: Path | None
    truncate_dim: int | None
    complete: bool = True


@dataclass(frozen=True)
class Plan:
    """What to do with a batch besides running the model on it.

    Attributes:
        strategies: Pooling strategies to apply.
        layers: Whether to look inside.
        tasks: Heads to put on the model.
        saving: What to write to a file.
        prompt_length: Tokens of the prompt, for Pooling steps that leave it out.
    """

    strategies: tuple[Strategy, ...]
    layers: bool = False
    tasks: tuple[Head, ...] = ()
    saving: Saving | None = None
    prompt_length: int = 0


@dataclass(frozen=True)
class Loading:
    """What transformers says of the weights it loaded, by the base model's names.

    Attributes:
        missing: Parameters that no stored tensor filled.
        unexpected: Stored tensors that no parameter took.
        mismatched: Stored shape of tensors whose shape is not the parameter's.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class Observed:
    """Size and dtype of a tensor as the run gave it, and how many there are where it is a tuple.

    Attributes:
        sizes: Size of each axis; of the first one in a tuple.
        dtype: Dtype of the elements.
        count: Number of tensors in a tuple.
        each: Sizes of each tensor in a tuple, where they differ among each other.
        not_finite: How many numbers are NaN or infinite.
        numbers: How many there are.
        broken_from: Index in a tuple of the first tensor with such a number.
    """

    sizes: tuple[int, ...]
    dtype: str
    count: int | None = None
    each: tuple[tuple[int, ...], ...] = ()
    not_finite: int = 0
    numbers: int = 0
    broken_from: int | None = None

    @property
    def sizes_of_each(self) -> tuple[tuple[int, ...], ...]:
        """Sizes of each of its tensors."""
        return self.each or (self.sizes,) * (self.count or 1)


@dataclass(frozen=True)
class ObservedHead:
    """What a task head gave.

    Attributes:
        outputs: By the name of the output.
        missing: How many of the head's parameters no stored tensor filled.
        misfits: How many of these are stored in another shape.
        total: How many it has.
        failure: Why it gave nothing.
    """

    outputs: Mapping[str, Observed]
    missing: int
    misfits: int
    total: int
    failure: str | None = None


@dataclass(frozen=True)
class Agreement:
    """How far apart a tensor of one text is in two runs.

    Attributes:
        name: The tensor: `embeddings`, `layer 1`, `last_hidden_state`, `sentence_embedding`.
        difference: Largest difference of two numbers.
        largest: Largest number, whatever its sign.
    """

    name: str
    difference: float
    largest: float


@dataclass(frozen=True)
class Observation:
    """All that a run showed.

    Attributes:
        outputs: By the name of the output.
        pooled: By the name of the strategy; those that need what is not there are left out.
        steps: What each step of the chain gave, in order.
        tasks: What each head gave, by task.
        layers: The shapes inside, where they were asked for.
        loading: How loading went.
        device: Device that ran.
        dtype: Dtype of the parameters.
        parameters: Number of parameters.
        unmasked_error: Largest distance of an element of `mean_unmasked` from `mean`; None where it is not
            known.
        torch: Version of torch.
        transformers: Version of transformers.
    """

    outputs: Mapping[str, Observed]
    pooled: Mapping[str, Observed]
    steps: tuple[Observed, ...]
    tasks: Mapping[str, ObservedHead]
    layers: Layer | None
    loading: Loading
    device: str
    dtype: str
    parameters: int
    unmasked_error: float | None
    torch: str
    transformers: str


@dataclass(frozen=True)
class Window:
    """Texts that are run before the next ones are read.

    Attributes:
        records: The texts.
        rows: Their tokens.
    """

    records: Sequence[Record]
    rows: Sequence[EncodedRow]


@dataclass(frozen=True)
class VectorJob:
    """What to make of many texts.

    Attributes:
        strategies: Strategies that give one vector per text.
        batch_size: Most texts that run together; None for any number of them.
        pad_id: Id that fills short rows.
        padding_side: `right` or `left`.
        inputs: Names of the tensors that the tokenizer makes.
        saving: Where the vectors go; None gives the arrays themselves.
        progress: Called with the number of texts of each batch that is done.
        prompt_length: Tokens of the prompt, for Pooling steps that leave it out.
        keep_broken: Write vectors with NaN or infinity too.
    """

    strategies: tuple[Strategy, ...]
    batch_size: int | None
    pad_id: int
    padding_side: str
    inputs: tuple[str, ...]
    saving: Saving | None
    progress: Callable[[int], None]
    prompt_length: int = 0
    keep_broken: bool = False


@dataclass(frozen=True)
class Encoding:
    """Texts to give to sentence-transformers, and the file that has their vectors already.

    Attributes:
        folder: The checkpoint.
        texts: Texts, and pairs of texts.
        rows: Which row of the file each of them has.
        vectors: The file.
        device: Where to run.
        dtype: Dtype of the parameters; `auto` for what the folder says.
        options: Arguments of `encode`.
    """

    folder: Path
    texts: tuple[str | tuple[str, str], ...]
    rows: tuple[int, ...]
    vectors: Path
    device: str
    dtype: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """How far two sets of vectors are apart.

    Attributes:
        difference: The largest one between two numbers; None where they cannot be compared.
        failure: Why they cannot.
    """

    difference: float | None
    failure: str


@dataclass(frozen=True)
class Vectors:
    """What was made, without the numbers where they went into a file.

    Attributes:
        saved: Sizes and dtype of each array, by its name in the file.
        batches: Forward passes.
        positions: Positions that ran, padding included.
        seconds: What the forward passes and the writing took, model loading and tokenization not counted.
        device: Device that ran.
        halved_to: Positions of the largest batch that was allowed in the end, where memory ran out; else None.
        arrays: The vectors as arrays of NumPy, by name, where they went into no file.
    """

    saved: Mapping[str, Observed]
    batches: int
    positions: int
    seconds: float
    device: str
    halved_to: int | None = None
    arrays: Mapping[str, Any] = field(default_factory=dict)
