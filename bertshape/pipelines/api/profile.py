"""`bertshape profile` from Python: files of texts, or texts from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.corpus.text_file import Record, TextFile
from bertshape.errors import UsageError
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.profile import BATCH_SIZES, ProfileRequest, profile, profile_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bertshape.corpus.text_file import InputFormat
    from bertshape.report.profile import ProfileReport


def profile_files(
    paths: str | Path | Sequence[str | Path],
    *,
    model: str | Path | None = None,
    revision: str | None = None,
    offline: bool = False,
    input_format: InputFormat | None = None,
    text_column: str = "text",
    pair_column: str | None = None,
    max_length: int | None = None,
    batch_sizes: Sequence[int] = BATCH_SIZES,
) -> ProfileReport:
    """Count the texts of files: lengths, cuts, padding; as `bertshape profile` does.

    Args:
        paths: Files of lines, JSON lines, CSV, TSV or Parquet, by the ending of the name; `-` reads stdin.
        model: Checkpoint whose tokenizer and limits apply; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        input_format: Format of all files, whatever their names end in.
        text_column: Column of the texts in CSV, TSV and Parquet files, their key in JSON lines.
        pair_column: The same of second texts; None takes `pair` where there is one.
        max_length: One more length at which texts would be cut; batches are cut there too.
        batch_sizes: Batch sizes that padding is counted for.

    Returns:
        The counts, which `merge_profiles` adds up; `summarize` gives what follows from them.

    Raises:
        BertshapeError: A file or the checkpoint cannot be read.
    """
    request = ProfileRequest(
        ModelSource(None if model is None else str(model), revision, offline), max_length, tuple(batch_sizes)
    )
    named = (paths,) if isinstance(paths, str | Path) else paths
    return profile(request, [TextFile(str(path), input_format, text_column, pair_column) for path in named])


def profile_texts(
    texts: Iterable[str | tuple[str, str]],
    *,
    name: str = "texts",
    model: str | Path | None = None,
    revision: str | None = None,
    offline: bool = False,
    max_length: int | None = None,
    batch_sizes: Sequence[int] = BATCH_SIZES,
) -> ProfileReport:
    """Count texts from anywhere: a shard of a dataset, a column of a table.

    Args:
        texts: Texts, or pairs of texts.
        name: What to call them.
        model: Checkpoint whose tokenizer and limits apply; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        max_length: One more length at which texts would be cut; batches are cut there too.
        batch_sizes: Batch sizes that padding is counted for.

    Raises:
        BertshapeError: A text or the checkpoint cannot be used.
    """
    request = ProfileRequest(
        ModelSource(None if model is None else str(model), revision, offline), max_length, tuple(batch_sizes)
    )
    return profile_records(request, [(name, _records(texts, name))])


def _records(texts: Iterable[str | tuple[str, str]], name: str) -> Iterator[Record]:
    for number, text in enumerate(texts, start=1):
        pair = isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)
        if not pair and not isinstance(text, str):
            what = f"{name}, text {number} is neither a text nor a pair of them: {type(text).__name__}"
            raise UsageError(what, hint="Pass strings.", code="text-invalid")
        first, second = (text, None) if isinstance(text, str) else text
        yield Record(number, first, second, unit="text")
