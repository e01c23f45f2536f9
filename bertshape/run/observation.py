"""What a run showed: plain Python, no tensors; it is imported by what runs alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertshape.report.layer import Layer
    from bertshape.report.statistics import Statistics


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
        statistics: What its numbers are like, where that is asked for.
        dtypes: Dtype of each tensor in a tuple, where they differ among each other.
        statistics_of_each: The same of each tensor of a tuple.
    """

    sizes: tuple[int, ...]
    dtype: str
    count: int | None = None
    each: tuple[tuple[int, ...], ...] = ()
    not_finite: int = 0
    numbers: int = 0
    broken_from: int | None = None
    statistics: Statistics | None = None
    dtypes: tuple[str, ...] = ()
    statistics_of_each: tuple[Statistics, ...] = ()

    @property
    def of_each(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """Sizes and dtype of each of its tensors."""
        count = self.count or 1
        return tuple(zip(self.each or (self.sizes,) * count, self.dtypes or (self.dtype,) * count, strict=True))


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
        collapsed: Whether several tokens of other ids all have one vector in last_hidden_state.
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
    collapsed: bool = False


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
        collapsed: Whether texts of other tokens all have one vector.
    """

    saved: Mapping[str, Observed]
    batches: int
    positions: int
    seconds: float
    device: str
    halved_to: int | None = None
    arrays: Mapping[str, Any] = field(default_factory=dict)
    collapsed: bool = False
