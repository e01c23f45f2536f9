"""Call a model, and look at the sizes of what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertshape.errors import CheckpointError, one_line
from bertshape.report.statistics import Statistics
from bertshape.run.devices import is_device_failure
from bertshape.run.observation import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch


def forward(model: Any, inputs: Mapping[str, torch.Tensor], *, attentions: bool, hidden_states: bool = True) -> Any:
    """One forward pass.

    Args:
        model: The model, or a model with a head.
        inputs: Shape of each: (batch_size, sequence_length); (batch_size, num_choices, sequence_length) for choices.
        attentions: Ask for attention weights too.
        hidden_states: Ask for the outputs of all layers too.

    Returns:
        The outputs as transformers names them.

    Raises:
        CheckpointError: The model cannot take the batch.
    """
    try:
        # As an argument: config.json may say that tuples are wanted.
        return model(**inputs, output_hidden_states=hidden_states, output_attentions=attentions, return_dict=True)
    except (AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        if is_device_failure(error):
            raise
        raise CheckpointError(
            f"the forward pass of {type(model).__name__} failed: {type(error).__name__}: {one_line(error)}",
            hint="Predict without running: inspect --weights none. See the whole error with --debug.",
            code="forward-failed",
        ) from error


def states(outputs: Any) -> tuple[torch.Tensor, ...]:
    """The hidden_states in one dtype, the widest: where transformers keeps some weights in float32, layers differ.

    Args:
        outputs: Those of a forward pass; an encoder with a decoder has none of this name.
    """
    given = outputs.get("hidden_states") or ()
    widest = max((state.dtype for state in given), key=lambda dtype: dtype.itemsize, default=None)
    return tuple(state.to(widest) for state in given)


def look(value: Any, kept: torch.Tensor | None = None) -> Observed:
    """Sizes and dtype of a tensor, or of the tensors of a tuple, and whether their numbers are numbers.

    Args:
        value: The tensor or tensors, of any shape.
        kept: Which positions count where the numbers are described; None describes none. Shape: that of the first two
            axes of tensors that have positions.
    """
    tensors = value if isinstance(value, tuple) else (value,)
    sizes = tuple(tuple(tensor.shape) for tensor in tensors)
    dtypes = tuple(_dtype_name(tensor.dtype) for tensor in tensors)
    broken = [_not_finite(tensor) for tensor in tensors]
    counted = () if kept is None else tuple(_only(tensor, kept) for tensor in tensors)
    return Observed(
        sizes=sizes[0],
        dtype=dtypes[0],
        count=len(tensors) if isinstance(value, tuple) else None,
        each=sizes if len(set(sizes)) > 1 else (),
        dtypes=dtypes if len(set(dtypes)) > 1 else (),
        not_finite=sum(broken),
        numbers=sum(tensor.numel() for tensor in tensors),
        broken_from=next((index for index, count in enumerate(broken) if count), None),
        statistics=_statistics(counted) if counted else None,
        statistics_of_each=tuple(_statistics([part]) for part in counted) if len(counted) > 1 else (),
    )


def _only(tensor: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    return tensor[kept] if tensor.ndim > kept.ndim and tensor.shape[: kept.ndim] == kept.shape else tensor


def _statistics(tensors: Sequence[torch.Tensor]) -> Statistics:
    numbers = [tensor.cpu().double().flatten() for tensor in tensors]  # Apple's devices have no float64.
    finite = [part[part.isfinite()] for part in numbers]
    count, zeros = sum(map(len, finite)), sum(int((part == 0).sum()) for part in finite)
    broken = sum(map(len, numbers)) - count
    finite = [part for part in finite if len(part)]
    if not count:
        return Statistics(None, None, None, None, zeros, broken)
    mean = sum(float(part.sum()) for part in finite) / count
    variance = sum(float(((part - mean) ** 2).sum()) for part in finite) / count
    least, greatest = min(float(part.min()) for part in finite), max(float(part.max()) for part in finite)
    return Statistics(mean, variance**0.5, least, greatest, zeros, broken)


def _not_finite(tensor: torch.Tensor) -> int:
    finite = tensor.isfinite()
    return 0 if finite.all() else int((~finite).sum())


def _dtype_name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
