"""What a run is asked for: plain Python, no tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bertshape.checkpoint.steps import Module
    from bertshape.corpus.text_file import Record
    from bertshape.pooling.strategy import Strategy
    from bertshape.predict.architecture import Architecture
    from bertshape.predict.heads import Head
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
        statistics: Whether to say what the numbers are like.
    """

    strategies: tuple[Strategy, ...]
    layers: bool = False
    tasks: tuple[Head, ...] = ()
    saving: Saving | None = None
    prompt_length: int = 0
    statistics: bool = False


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
