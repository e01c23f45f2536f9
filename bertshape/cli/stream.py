"""Texts of `inspect --input`: read at once for one report, or streamed as JSON lines."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from bertshape.cli.events import CommandEvents
from bertshape.cli.json_output import print_json
from bertshape.cli.stdio import reader_left
from bertshape.corpus.meter import Meter
from bertshape.corpus.read import read_all_lines, read_records
from bertshape.errors import ExitCode, UsageError
from bertshape.pipelines.stream import Stream
from bertshape.report.envelope import error_document
from bertshape.report.inspect_document import record_documents
from bertshape.tokens.pieces import check_size
from bertshape.wording import counted

if TYPE_CHECKING:
    from bertshape.corpus.text_file import Record, TextFile
    from bertshape.pipelines.request import InspectionRequest
    from bertshape.pipelines.stream import StreamedBatch
    from bertshape.report import documents

MAX_TEXTS = 200
"""One report shows each of its texts; a batch of 1,000 took 6 s to draw, and no screen holds it."""


def read_all(file: TextFile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All texts of a file, and their pairs.

    Raises:
        UsageError: The file cannot be read, holds no text or too many, or only some texts have a pair.
    """
    records: list[Record] = []
    for record in read_records(file):
        for text in (record.text, record.pair or ""):
            check_size(text, f"{file.name}, {record.place}")
        records.append(record)
        check_number(len(records), file.name)
    if not records:
        raise UsageError(f"{file.name} holds no text", hint="Write a text on each line.", code="text-missing")
    pairs = tuple(record.pair for record in records if record.pair is not None)
    if pairs and len(pairs) != len(records):
        lone = next(record.place for record in records if record.pair is None)
        hint = 'Give all of them a "pair", or none.'
        raise UsageError(f"{file.name}, {lone} has no pair, and others have", hint=hint, code="pairs-mismatch")
    return tuple(record.text for record in records), pairs


def check_number(texts: int, name: str) -> None:
    """Refuse more texts than one report shows.

    Raises:
        UsageError: There are more than `MAX_TEXTS`.
    """
    if texts > MAX_TEXTS:
        hint = "Stream them with -i FILE --format jsonl, or count them: bertshape profile FILE."
        message = f"{name} holds more than {MAX_TEXTS} texts, and one report shows at most so many"
        raise UsageError(message, hint=hint, code="too-many-texts")


def run_stream(
    request: InspectionRequest, file: TextFile, batch_size: int, *, tokens: bool = True, skip: bool = False
) -> int:
    """Print a JSON line for each text of a file, in constant memory.

    Args:
        request: What to inspect; its texts are not looked at.
        file: The file.
        batch_size: Lines that make one batch.
        tokens: Whether each line has the list of its tokens.
        skip: Print why a line has no report, and go on.

    Returns:
        The exit code.
    """
    failed = False
    # Here objects are made without end: what the imports left is set aside, and the rest is collected as usual.
    gc.freeze()
    gc.enable()
    count = skipped = 0
    meter, terminal = Meter([file]), sys.stderr.isatty()
    # A bar among the lines of the report would be in their way.
    with CommandEvents(progress=terminal and not sys.stdout.isatty(), log=not terminal, meter=meter) as watching:
        flow = Stream(request, file.name, watching)
        for batch in flow.batches(read_all_lines(file, meter), batch_size, skip=skip):
            for document in _documents(batch, tokens=tokens):
                print_json(document, line=True)
            failed = failed or (batch.report is not None and batch.report.failed)
            count, skipped = count + len(batch.records), skipped + len(batch.failures)
            if reader_left():
                break
    sys.stdout.flush()
    if sys.stderr.isatty():
        sys.stderr.write(f"{counted(count, 'text')}, {counted(flow.forwards, 'forward pass', 'passes')}\n")
    if skipped:
        say_skipped(skipped, count)
    return ExitCode.FAILED if failed or skipped else ExitCode.OK


def _documents(batch: StreamedBatch, *, tokens: bool) -> list[documents.RecordDocument | documents.ErrorDocument]:
    """The documents of a batch in the order of the lines."""
    by_index: dict[int, documents.RecordDocument | documents.ErrorDocument] = {
        number: error_document(error) for number, error in batch.failures.items()
    }
    if batch.report is not None:
        made = record_documents(batch.report, batch.records, tokens=tokens)
        by_index |= {document["index"]: document for document in made}
    return [by_index[index] for index in sorted(by_index)]


def say_skipped(skipped: int, texts: int) -> None:
    """Count on stderr what was passed over: the exit code alone says too little."""
    sys.stderr.write(f"bertshape: skipped {skipped:,} of {counted(skipped + texts, 'line')}\n")
