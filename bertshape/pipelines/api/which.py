"""`bertshape which` from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.corpus.text_file import Record
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.probes import probes_of
from bertshape.pipelines.request import RunOptions
from bertshape.pipelines.which import which, which_records
from bertshape.pipelines.which_request import SAMPLE, TOLERANCE, WhichRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.which import WhichReport


def which_recipe(
    vectors: str | Path,
    texts: Sequence[str] | None = None,
    *,
    model: str | Path,
    revision: str | None = None,
    offline: bool = False,
    vector_column: str | None = None,
    prompts: Sequence[str] = (),
    tolerance: float = TOLERANCE,
    sample: int = SAMPLE,
    declared: bool = False,
    device: str = "auto",
) -> WhichReport:
    """Find out how vectors were made; as `bertshape which` does.

    Args:
        vectors: The file of vectors.
        texts: The texts they were made of, in the same order; None for those of `probe_texts`.
        model: Folder or Hub id of the model that is thought to have made them.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        vector_column: Array, column or key of the vectors; None for the only one.
        prompts: Prompts to try besides those of the checkpoint.
        tolerance: Largest difference of a number that passes.
        sample: Texts to compare at most.
        declared: Whether another recipe than the declared one is a failure.
        device: Where to run.

    Returns:
        What was found; `report.recipe` is the recipe, or None.

    Raises:
        BertshapeError: Texts or vectors cannot be used, they do not belong together, or the run fails.
    """
    request = WhichRequest(
        vectors=Path(vectors),
        source=ModelSource(str(model), revision, offline),
        run=RunOptions(None, device_name(device)),
        vector_column=vector_column,
        prompts=tuple(prompts),
        tolerance=tolerance,
        sample=sample,
        declared=declared,
    )
    if texts is None:
        return which(request, None)
    records = (Record(line, text, unit="text") for line, text in enumerate(texts, start=1))
    return which_records(request, records, "texts")


def probe_texts(model: str | Path, *, revision: str | None = None, offline: bool = False) -> tuple[str, ...]:
    """Texts that tell recipes apart; as `bertshape which --probes` writes them.

    Args:
        model: Folder or Hub id of the model, whose limits the texts are made for.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.

    Raises:
        BertshapeError: There is no such model, or its tokenizer makes no probes.
    """
    return probes_of(ModelSource(str(model), revision, offline))
