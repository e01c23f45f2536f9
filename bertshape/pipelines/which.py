"""The pipeline of `which`: texts and their vectors -> how the vectors were made."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bertshape.corpus.read import read_records
from bertshape.corpus.text_file import Record
from bertshape.errors import UsageError
from bertshape.pipelines.candidates import known_prompts, ranges, strategies, variants
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.model import open_model
from bertshape.pipelines.packages import check_packages
from bertshape.pipelines.probes import NAME, probe_texts
from bertshape.pipelines.running import follow_chain, start
from bertshape.pipelines.second_looks import Looks, SecondLooks
from bertshape.pipelines.which_answer import answer
from bertshape.pipelines.which_request import LEAST
from bertshape.run.recipes import BATCH_SIZE, ScoreJob, Variant
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertshape.corpus.text_file import TextFile
    from bertshape.corpus.vectors import GivenVectors
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.which_request import WhichRequest
    from bertshape.report.which import WhichReport

_ROUNDING = {"float16": 2**-9, "bfloat16": 2**-6, "float32": 0.0}
_MOST_SOUGHT = 50_000
"""Vectors among which those in another place are sought."""
_SHOWN = 1000
"""Texts after which it is shown again how many are read."""
_PROBES = "Pass --texts FILE, or make the vectors of the probes: bertshape which --probes -m MODEL -o probes.txt."


def which(request: WhichRequest, texts: TextFile | None, events: Events = SILENT) -> WhichReport:
    """Find out how the vectors of a file of texts were made.

    Args:
        request: The vectors, and the model.
        texts: The texts, one for each vector, in the same order; None for the probes.
        events: Who watches.

    Raises:
        BertshapeError: Texts or vectors cannot be used, they do not belong together, or the run fails.
    """
    if texts is None:
        return which_records(request, None, NAME, events, file=["probes.txt"])
    return which_records(request, read_records(texts), texts.name, events, file=_words(texts))


def which_records(
    request: WhichRequest,
    records: Iterable[Record] | None,
    name: str,
    events: Events = SILENT,
    file: Sequence[str] = ("texts.txt",),
) -> WhichReport:
    """The same for texts from anywhere.

    Args:
        request: The vectors, and the model.
        records: The texts; None for the probes.
        name: What messages call them.
        events: Who watches.
        file: The words of a command that read them.

    Raises:
        BertshapeError: As for `which`.
    """
    request.check()
    check_packages("which")
    # NumPy and safetensors, which the packages above bring: 0.1 s that `import bertshape` need not take.
    from bertshape.corpus.vectors import read_vectors

    events.phase("reading vectors")
    given = read_vectors(request.vectors, request.vector_column)
    events.phase("reading the checkpoint")
    model = open_model(request.source, request.run.weights or "checkpoint", as_encode=True)
    if given.quantized and given.dimension * 8 == model.architecture.dimensions.hidden_size:
        given = given.unpacked()
    if records is None:
        records = (Record(line, text) for line, text in enumerate(probe_texts(model), start=1))
    events.phase("reading texts", len(given))
    chosen, kept = _sample(given, records, name, request.sample, events)
    events.phase("tokenizing in several ways")
    tokenized = variants(model, kept, name, known_prompts(model, request.prompts))
    tolerance = request.tolerance + _ROUNDING[given.rounded_to] * given.largest
    tolerance += 0.5 * 0.1**given.decimals if given.decimals is not None else 0
    job = _job(model, given, chosen, tolerance)
    runner = start(model, request.run, events, chain=follow_chain(model)).runner
    events.phase("comparing recipes")
    scores = runner.score([Variant(row.rows, row.prompt_length) for row in tokenized], job)
    if not scores:
        hint = "Check that the vectors were made by this model."
        message = f"{given.name} has vectors of {given.dimension} numbers, more than any strategy of the model gives"
        raise UsageError(message, hint=hint, code="dimension-mismatch")
    looks = SecondLooks(model, runner, job, kept, name, len(kept) == len(given))
    found = looks.look(Looks(tuple(tokenized), scores))
    return answer(request, given, looks, found, file)


def _words(texts: TextFile) -> list[str]:
    """The words of `embed` that read a file of texts."""
    words = [f"./{texts.path}" if texts.path[:1] == "-" < texts.path else texts.path]
    words += ["--input-format", texts.input_format] if texts.input_format else []
    return words + (["--text-column", texts.text_column] if texts.text_column != "text" else [])


def _job(model: Model, given: GivenVectors, chosen: Sequence[int], tolerance: float) -> ScoreJob:
    return ScoreJob(
        given=given.rows(chosen),
        pool=given.values if len(given) <= _MOST_SOUGHT else given.rows(chosen),
        places=tuple(chosen if len(given) <= _MOST_SOUGHT else range(len(chosen))),
        strategies=strategies(model),
        ranges=ranges(model, given.dimension),
        tolerance=tolerance,
        batch_size=BATCH_SIZE,
        pad_id=model.tokenizer.pad_id or 0,
        padding_side=model.tokenizer.padding_side,
        inputs=model.tokenizer.inputs,
        integers=given.quantized,
    )


def _sample(
    given: GivenVectors, records: Iterable[Record], name: str, size: int, events: Events
) -> tuple[list[int], list[Record]]:
    """Indices of the texts to compare, and these texts.

    Raises:
        UsageError: There are more or fewer texts than vectors, or too few to tell recipes apart.
    """
    count = len(given)
    chosen = sorted(random.Random(0).sample(range(count), size)) if count > size else list(range(count))
    wanted, kept, seen = set(chosen), [], 0
    for record in records:
        if seen in wanted:
            kept.append(record)
        seen += 1
        if seen % _SHOWN == 0:
            events.advanced(_SHOWN)
    if seen != count:
        raise UsageError(
            f"{given.name} has {counted(count, 'vector')}, and {name} {counted(seen, 'text')}: "
            "each text needs its vector",
            hint=_PROBES if name == NAME else "Give the texts that the vectors were made of, in the same order.",
            code="texts-vectors-mismatch",
        )
    distinct = len({(record.text, record.pair) for record in kept})
    if distinct < LEAST:
        raise UsageError(
            f"{distinct} different text is too few to tell recipes apart: at least {LEAST} are needed",
            hint="Give texts of different lengths: without padding, mean and mean_unmasked are one.",
            code="too-few-texts",
        )
    return chosen, kept
