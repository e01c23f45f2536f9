"""How far a command is: the estimate of the number of texts, a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from bertshape.cli.progress import MinuteLog, Pace
from bertshape.corpus.meter import Meter
from bertshape.corpus.read import read_all_lines, read_records
from bertshape.corpus.text_file import TextFile
from bertshape.pipelines.embed import embed
from bertshape.pipelines.embed_request import EmbedRequest
from bertshape.pipelines.events import Events
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.request import SaveOptions
from bertshape.pipelines.which import which
from bertshape.pipelines.which_request import WhichRequest
from tests.support.terminal import run_in_terminal


def paced(total: int | None) -> tuple[list[float], Pace, io.StringIO]:
    """A clock, a pace by it, and the log that the pace writes."""
    now, stream = [0.0], io.StringIO()
    pace = Pace(None if total is None else lambda: total, lambda: now[0])
    pace.changed = MinuteLog(pace, stream).write
    return now, pace, stream


def test_a_line_a_minute() -> None:
    """The time before the first texts, which is that of loading, is in no rate."""
    now, pace, stream = paced(1000)
    pace.begin("embedding")
    for now[0] in (100.0, 130.0, 159.0, 160.0, 190.0, 221.0):
        pace.advance(100)
    assert stream.getvalue().splitlines() == [
        "bertshape: embedding 100 of about 1,000 texts",
        "bertshape: embedding 400 of about 1,000 texts, 5.0 texts/s, 2 min left",
        "bertshape: embedding 600 of about 1,000 texts, 4.1 texts/s, 2 min left",
    ]


def test_every_phase_has_its_line_and_its_count() -> None:
    """What is slow before the first batch is no silence, and no part of the next rate."""
    now, pace, stream = paced(100_000)
    now[0] = 60
    pace.begin("reading texts")
    pace.begin("tokenizing", 10_000)
    for now[0] in (100.0, 120.0, 140.0):
        pace.advance(500)
    now[0] = 200
    pace.begin("importing torch")
    pace.begin("embedding")
    for now[0] in (250.0, 251.0, 310.0):
        pace.advance(100)
    assert stream.getvalue().splitlines() == [
        "bertshape: reading texts",
        "bertshape: tokenizing 1,000 of 10,000 texts, 25 texts/s, 6 min left",
        "bertshape: importing torch",
        "bertshape: embedding 300 of about 100,000 texts, 3.3 texts/s, 8 h 18 min left",
    ]


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (3000, None, 2.0, "3,000 texts, 1,450 texts/s"),
        (3000, 2500, 2.0, "3,000 of about 3,000 texts, 1,450 texts/s, 0 s left"),
        (200, 40_100, 2.0, "200 of about 40,100 texts, 50 texts/s, 13 min left"),
        (102, 100_000, 2.0, "102 of about 100,000 texts, 1.0 texts/s, 27 h 45 min left"),
    ],
)
def test_the_rest_is_estimated(done: int, total: int | None, seconds: float, words: str) -> None:
    now, pace, _ = paced(total)
    pace.begin("embedding")
    pace.advance(100)
    now[0] = seconds
    pace.advance(done - 100)
    assert str(pace) == f"embedding {words}"


def write(folder: Path) -> list[TextFile]:
    """4,000 texts in four files of different kinds."""
    lines = "".join(f"text number {number}\n" for number in range(1000))
    (folder / "a.txt").write_text(lines)
    (folder / "b.txt.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "c.csv").write_text("id,text\n" + "".join(f"{number},a text\n" for number in range(1000)))
    table = pyarrow.table({"text": [f"text number {number}" for number in range(1000)]})
    pyarrow.parquet.write_table(table, folder / "d.parquet")
    return [TextFile(str(folder / name)) for name in ("a.txt", "b.txt.gz", "c.csv", "d.parquet")]


def test_the_number_of_texts_is_estimated_from_bytes(tmp_path: Path) -> None:
    """Exact at the end of all files, near it within each of them."""
    files = write(tmp_path)
    for file in files[:1] + files[2:]:  # A compressed file as small as this one is read at once.
        meter = Meter([file])
        estimates = [meter.estimate() for _ in read_records(file, meter)]
        found = estimates[900]
        assert found is not None
        assert 980 <= found <= 1020, file.path
    meter = Meter(files)
    assert meter.estimate() is None
    for file in files:
        for _ in read_records(file, meter):
            pass
    assert meter.estimate() == 4000


def test_nothing_is_estimated_of_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\n")))
    files = [TextFile("-"), *write(tmp_path)]
    meter = Meter(files)
    for file in files:
        for _ in read_records(file, meter):
            assert meter.estimate() is None


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    """It is taken away when the report comes."""
    path = tmp_path / "a.txt"
    path.write_text("a text\n" * 9000)
    run = run_in_terminal("profile", str(path), "-m", "embedded:bert-tiny-uncased", "--format", "markdown")
    assert re.search("tokenizing [0-9,]+ of about 9,000 texts", run.raw)
    assert not any("of about" in line for line in run.screen)
    assert run.code == 0


class Phases(Events):
    """Keeps what a pipeline says."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int | None]] = []
        self.counted: dict[str, int] = {}

    def phase(self, what: str, texts: int | None = None) -> None:
        self.said.append((what, texts))

    def advanced(self, texts: int) -> None:
        what = self.said[-1][0]
        self.counted[what] = self.counted.get(what, 0) + texts


def test_embed_and_which_say_every_phase(minilm: Path, tmp_path: Path) -> None:
    texts, vectors = TextFile(str(tmp_path / "a.txt")), tmp_path / "v.npz"
    Path(texts.path).write_text("".join(f"text number {number}\n" for number in range(1001)))
    seen, source = Phases(), ModelSource(str(minilm))
    embed(EmbedRequest(save=SaveOptions(vectors), source=source), read_all_lines(texts), "a.txt", seen)
    assert seen.said == [
        ("reading texts", None),
        ("tokenizing", 1001),
        ("importing torch", None),
        ("loading 91 MB", None),
        ("embedding", None),
    ]
    assert seen.counted == {"tokenizing": 1000, "embedding": 1001}
    seen = Phases()
    which(WhichRequest(vectors=vectors, source=source, sample=8), texts, seen)
    assert [what for what, _ in seen.said] == [
        "reading vectors",
        "reading the checkpoint",
        "reading texts",
        "tokenizing in several ways",
        "importing torch",
        "loading 91 MB",
        "comparing recipes",
    ]
    assert seen.counted == {"reading texts": 1000}
