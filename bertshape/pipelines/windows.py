"""Texts of `embed` -> windows of their tokens: so many at a time as are sorted by length, and no more are held."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bertshape.corpus.text_file import BadRecord
from bertshape.errors import BertshapeError, TextPlace, UsageError
from bertshape.pipelines.lengths import check_exact, check_ids, check_length
from bertshape.pipelines.stream import OF_TEXTS
from bertshape.run.request import Window
from bertshape.tokens.batch import padding_id
from bertshape.tokens.encode import encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.events import Events
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.verify import Sample
    from bertshape.tokens.encode import EncodedRow

WINDOW = 10_000
"""Texts of a window: sorted by length they leave next to no padding, and their vectors take 15 MB."""
WINDOW_CHARACTERS = 4_000_000
"""Characters from which a window takes no more texts."""
_SHOWN = 500
"""Texts after which it is shown again how many are tokenized."""
SHOWN_FAILURES = 100
"""Most texts that were skipped whose reason is kept."""


@dataclass
class Windows:
    """Reads texts and encodes them; a value that changes.

    Attributes:
        model: The model.
        name: Name of the texts' file, for messages.
        prompt: What to put before each text.
        cut_to: Tokens that longer texts are cut to; None cuts none.
        skip: Pass over lines that hold no text, and texts that cannot be run.
        single: Whether texts run one by one, so that none needs padding.
        sample: Keeps some of the texts.
        events: Who watches the texts being tokenized; a run counts those after the first window itself.
        texts: Texts encoded so far.
        tokens: Their tokens.
        cut: How many of them were cut.
        skipped: Lines and texts passed over.
        failures: Why, for the first of them.
    """

    model: Model
    name: str
    prompt: str
    cut_to: int | None
    skip: bool
    single: bool
    sample: Sample
    events: Events
    texts: int = 0
    tokens: int = 0
    cut: int = 0
    skipped: int = 0
    failures: list[BertshapeError] = field(default_factory=list)

    def read(self, lines: Iterable[Record | BadRecord]) -> Iterator[Window]:
        """Give the texts in windows, in their order.

        Args:
            lines: The texts, and lines that hold none.

        Raises:
            BertshapeError: A text cannot be used, and none is to be passed over; the error names its line.
            UsageError: There is no text at all.
        """
        for part in self._parts(lines):
            rows = self._encode(part)
            if not rows:
                continue
            window = Window([record for _, record, _ in rows], [row for _, _, row in rows])
            if not self.single and len({len(row) for row in window.rows}) > 1:
                padding_id(self.model.tokenizer)  # Refuses where there is none.
            for record in window.records:
                self.sample.take(record)
            self.texts += len(rows)
            self.tokens += sum(map(len, window.rows))
            self.cut += sum(row.cut for row in window.rows)
            yield window
        if not self.texts:
            hint = "Write a text on each line." if not self.skipped else "Every line was skipped: look at the reasons."
            raise UsageError(f"{self.name} holds no text", hint=hint, code="text-missing")

    def _parts(self, lines: Iterable[Record | BadRecord]) -> Iterator[list[tuple[int, Record]]]:
        part: list[tuple[int, Record]] = []
        characters = 0
        for index, line in enumerate(lines):
            if isinstance(line, BadRecord):
                self._fail(line.error, TextPlace(index, line.line, line.id))
                continue
            part.append((index, line))
            characters += len(line.text) + len(line.pair or "")
            if len(part) >= WINDOW or characters >= WINDOW_CHARACTERS:
                yield part
                part, characters = [], 0
        if part:
            yield part

    def _encode(self, part: list[tuple[int, Record]]) -> list[tuple[int, Record, EncodedRow]]:
        try:
            return self._rows(part)
        except BertshapeError as error:
            if error.code not in OF_TEXTS:
                raise
        kept = []
        for index, record in part:  # one by one, to see whose error it is
            try:
                kept += self._rows([(index, record)])
            except BertshapeError as error:
                self._fail(error, TextPlace(index, record.line, record.id))
        return kept

    def _rows(self, part: list[tuple[int, Record]]) -> list[tuple[int, Record, EncodedRow]]:
        given = (replace(record, text=self.prompt + record.text) for _, record in part)
        self.events.phase("tokenizing", len(part))
        rows = []
        for row in encode_rows(self.model.tokenizer, given, self.name, cut_to=self.cut_to):
            where = f"{self.name}, {row.unit} {row.line}"
            check_length(len(row), where, self.model)
            check_exact(len(row), where, self.model)
            rows.append(row)
            if len(rows) % _SHOWN == 0:
                self.events.advanced(_SHOWN)
        check_ids(max((max(row.input_ids, default=0) for row in rows), default=0), self.model)
        return [(index, record, row) for (index, record), row in zip(part, rows, strict=True)]

    def _fail(self, error: BertshapeError, place: TextPlace) -> None:
        error.about(place)
        if not self.skip or error.code not in OF_TEXTS:
            raise error
        self.skipped += 1
        if len(self.failures) < SHOWN_FAILURES:
            self.failures.append(error)
