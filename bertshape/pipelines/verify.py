"""Some of the texts of `embed` through sentence-transformers itself: the same vectors, or how far off they are."""

from __future__ import annotations

import random
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bertshape.errors import UsageError
from bertshape.report.embed import Verified
from bertshape.report.finding import Finding
from bertshape.run.request import Encoding
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.embed_request import EmbedRequest
    from bertshape.pipelines.lengths import Lengths
    from bertshape.pipelines.model import Model
    from bertshape.report.embed import EmbedReport

_SEED = 0
TOLERANCE = 1e-4
"""Largest difference of a number that passes; batches of other sizes move float32 numbers by some 1e-6."""
_HALF_TOLERANCE = 1e-2
"""The same in half precision, where another batch alone moves them by some 1e-3."""


class Sample:
    """Some texts of a stream, any as likely as any other, always the same ones; no more than these are held."""

    def __init__(self, size: int) -> None:
        """Begin with none.

        Args:
            size: How many to keep.
        """
        self._size = size
        self._kept: list[tuple[int, Record]] = []
        self._chance, self._seen = random.Random(_SEED), 0

    def take(self, record: Record) -> None:
        """Look at the next text, which may be kept (reservoir sampling, Vitter 1985, algorithm R)."""
        index, self._seen = self._seen, self._seen + 1
        if index < self._size:
            self._kept.append((index, record))
        elif self._size and (place := self._chance.randrange(index + 1)) < self._size:
            self._kept[place] = (index, record)

    @property
    def records(self) -> list[tuple[int, Record]]:
        """The texts that were kept, each with its row in the file, in their order."""
        return sorted(self._kept, key=lambda kept: kept[0])


def check_installed() -> None:
    """Refuse to compare where there is nothing to compare with.

    Raises:
        UsageError: sentence-transformers is not installed.
    """
    if find_spec("sentence_transformers") is None:
        raise UsageError(
            "--verify asks sentence-transformers, which is not installed",
            hint="Install it: pip install sentence-transformers.",
            code="sentence-transformers-missing",
        )


def verify(request: EmbedRequest, model: Model, sample: Sample, lengths: Lengths, report: EmbedReport) -> EmbedReport:
    """Give a sample to `SentenceTransformer(folder).encode`, and compare with what was written.

    Args:
        request: What was asked for.
        model: The model.
        sample: The texts.
        lengths: Where texts were cut.
        report: What was written.

    Returns:
        The report with the result, and a finding where the vectors differ by more than they may.
    """
    from bertshape.run.verify import largest_difference

    asked, chosen = request.prompting, sample.records
    options: dict[str, Any] = {}
    if asked.asked:
        options = {"prompt_name": asked.name} if asked.name is not None else {"prompt": asked.text or ""}
    if request.truncate_dim is not None:
        options["truncate_dim"] = request.truncate_dim
    if request.lengths.max_length is not None or request.lengths.truncation is False:
        cut = {"truncation": False} if lengths.cut_to is None else {"truncation": True, "max_length": lengths.cut_to}
        options["processing_kwargs"] = {"text": cut}
    encoding = Encoding(
        folder=model.checkpoint.location.folder,
        texts=tuple(record.text if record.pair is None else (record.text, record.pair) for _, record in chosen),
        rows=tuple(index for index, _ in chosen),
        vectors=request.save.path,
        device=report.device or "cpu",
        dtype=request.run.dtype,
        options=options,
    )
    outcome = largest_difference(encoding)
    half = report.saved["sentence_embedding"].dtype in ("float16", "bfloat16")
    allowed = _HALF_TOLERANCE if half else TOLERANCE
    passed = outcome.difference is not None and outcome.difference <= allowed
    verified = Verified(len(chosen), outcome.difference, passed)
    if passed:
        return replace(report, verified=verified)
    what = f"differ by up to {outcome.difference:.3g}" if outcome.difference is not None else outcome.failure
    finding = Finding(
        "not-as-encode",
        "error",
        f"the vectors of {counted(len(chosen), 'text')} are not those of "
        f"SentenceTransformer({model.checkpoint.name!r}).encode: {what}",
        "Do not use the file, and report this: bertshape should give the same numbers, or stop.",
        where="sentence_embedding",
        expected=f"at most {allowed:g}",
        actual=str(outcome.difference),
    )
    return replace(report, verified=verified, findings=(*report.findings, finding))
