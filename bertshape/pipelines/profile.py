"""Count a corpus with the tokenizer of a checkpoint."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from bertshape.corpus.counts import BatchShapes, Counts
from bertshape.corpus.read import in_chunks, read_records
from bertshape.corpus.text_file import Record, TextFile
from bertshape.errors import UsageError
from bertshape.pipelines import facts
from bertshape.pipelines.model import Model, open_model
from bertshape.pipelines.request import ModelSource
from bertshape.report.profile import Profile, Setting, merge_profiles
from bertshape.tokens.measure import Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bertshape.corpus.text_file import InputFormat

Text = str | tuple[str, str]
"""A text, or a text and its pair."""
BATCH_SIZES = (8, 32, 128)
"""Batch sizes that padding is counted for, where none are named."""


def profile_files(
    paths: Sequence[str],
    *,
    model: str | None = None,
    revision: str | None = None,
    offline: bool = False,
    input_format: InputFormat | None = None,
    text_column: str = "text",
    pair_column: str | None = None,
    max_length: int | None = None,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    progress: Callable[[int], None] = lambda _: None,
) -> Profile:
    """Count the texts of files.

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
        progress: Called with the number of texts of each lot that is done.

    Raises:
        BertshapeError: A file or the checkpoint cannot be read.
    """
    if list(paths).count("-") > 1:
        raise UsageError("stdin is named twice", hint="Name - once.", code="stdin-twice")
    opened = open_model(ModelSource(model, revision, offline))
    setting = _setting(opened, max_length, batch_sizes)
    profiles = []
    for path in paths:
        name = "stdin" if path == "-" else _utf8(path)
        records = read_records(TextFile(path, input_format, text_column, pair_column))
        counts = _count(opened, setting, in_chunks(records), name, progress)
        profiles.append(_profile(opened, setting, name, counts))
    return merge_profiles(profiles)


def profile_texts(
    texts: Iterable[Text],
    *,
    name: str = "texts",
    model: str | None = None,
    revision: str | None = None,
    offline: bool = False,
    max_length: int | None = None,
    batch_sizes: Sequence[int] = BATCH_SIZES,
) -> Profile:
    """Count texts from anywhere: a shard of a dataset, a column of a table.

    Args:
        texts: Texts, or pairs of texts.
        name: What to call them.
        model: Checkpoint whose tokenizer and limits apply; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        max_length: One more length at which texts would be cut.
        batch_sizes: Batch sizes that padding is counted for.

    Raises:
        BertshapeError: A text or the checkpoint cannot be used.
    """
    opened = open_model(ModelSource(model, revision, offline))
    setting = _setting(opened, max_length, batch_sizes)
    counts = _count(opened, setting, in_chunks(_records(texts, name)), name, lambda _: None)
    return _profile(opened, setting, name, counts)


def _profile(model: Model, setting: Setting, name: str, counts: Counts) -> Profile:
    return Profile(setting, ((name, counts.texts),), counts, _utf8(model.checkpoint.name), model.verdict.findings)


def _utf8(path: str) -> str:
    """A path that is not UTF-8 holds half surrogates, which JSON cannot carry."""
    return path.encode(errors="backslashreplace").decode()


def _records(texts: Iterable[Text], name: str) -> Iterator[Record]:
    for number, text in enumerate(texts, start=1):
        pair = isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)
        if not pair and not isinstance(text, str):
            what = f"{name}, text {number} is neither a text nor a pair of them: {type(text).__name__}"
            raise UsageError(what, hint="Pass strings.", code="text-invalid")
        first, second = (text, None) if isinstance(text, str) else text
        yield Record(number, first, second, unit="text")


def _setting(model: Model, max_length: int | None, batch_sizes: Sequence[int]) -> Setting:
    if max_length is not None and max_length < 1:
        raise UsageError(f"--max-length is {max_length}", hint="Pass at least 1.", code="max-length-invalid")
    if not batch_sizes or min(batch_sizes) < 1:
        raise UsageError("--batch-size must be at least 1", hint="Pass 8 or 32.", code="batch-size-invalid")
    limits = {where: limit for where, limit in model.limits.items() if limit is not None}
    runs = [limit for limit in (model.limits["effective"], max_length) if limit is not None]
    return Setting(
        tokenizer=_digest(model),
        unknown_token=model.tokenizer.unk_token,
        hidden_size=model.architecture.dimensions.hidden_size,
        limits=limits,
        max_length=max_length,
        cut_at=min(runs, default=None),
        batch_sizes=tuple(sorted(set(batch_sizes))),
    )


def _digest(model: Model) -> str:
    """Digest of the whole tokenizer: of its file where that says all, else of what was built from several."""
    if model.tokenizer.file == "tokenizer.json":
        return facts.tokenizer_hash(model)
    return f"sha256:{hashlib.sha256(model.tokenizer.backend.to_str().encode()).hexdigest()}"


def _count(
    model: Model, setting: Setting, chunks: Iterable[list[Record]], name: str, progress: Callable[[int], None]
) -> Counts:
    backend, measure = model.tokenizer.backend, Measure(model.tokenizer, name)
    lengths: Counter[int] = Counter()
    unknown = texts_with_unknown = special = 0
    batches = {size: BatchShapes(size, setting.cut_at) for size in setting.batch_sizes}
    for chunk in chunks:
        sizes, found = measure(chunk)
        lengths.update(sizes)
        for batch in batches.values():
            batch.add(sizes)
        unknown += sum(found)
        texts_with_unknown += len(found) - found.count(0)
        pairs = sum(record.pair is not None for record in chunk)
        special += pairs * backend.num_special_tokens_to_add(True)
        special += (len(chunk) - pairs) * backend.num_special_tokens_to_add(False)
        progress(len(chunk))
    shapes = {size: batch.end() for size, batch in batches.items()}
    return Counts(lengths, unknown, texts_with_unknown, special, shapes)
