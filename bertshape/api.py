"""The same inspection from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.pipelines.inspect import inspect
from bertshape.pipelines.request import InspectionRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.pipelines.request import DType
    from bertshape.report.report import Report, Weights
    from bertshape.tokens.batch import Padding


def inspect_texts(
    texts: str | Sequence[str],
    pairs: str | Sequence[str] = (),
    *,
    model: str | None = None,
    revision: str | None = None,
    offline: bool = False,
    weights: Weights | None = None,
    device: str = "auto",
    dtype: DType = "auto",
    pool: Sequence[str] = (),
    max_length: int | None = None,
    truncation: bool | None = None,
    padding: Padding = "longest",
    attentions: bool = False,
    truncate_dim: int | None = None,
    tasks: Sequence[str] = (),
    layers: bool = False,
    words: bool = False,
    save: str | Path | None = None,
) -> Report:
    """Inspect texts from Python; the same report as `bertshape inspect`.

    The arguments are those of `InspectionRequest`; a single string stands for a list of one.

    Returns:
        The report; `report.to_dict()` is the JSON document of the command line.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    return inspect(
        InspectionRequest(
            texts=(texts,) if isinstance(texts, str) else tuple(texts),
            pairs=(pairs,) if isinstance(pairs, str) else tuple(pairs),
            model=model,
            revision=revision,
            offline=offline,
            weights=weights,
            device=device,
            dtype=dtype,
            pool=tuple(pool),
            max_length=max_length,
            truncation=truncation,
            padding=padding,
            attentions=attentions,
            truncate_dim=truncate_dim,
            tasks=tuple(tasks),
            layers=layers,
            words=words,
            save=Path(save) if save is not None else None,
        )
    )
