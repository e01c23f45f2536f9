"""What the readers may cost at most, whatever they are given; the bounds are those that their modules state.

Memory is that of the whole process, 30 MB of which are there before anything is read. The time of each is bounded by
the limit on processes alone, so that a slow machine fails nothing.
"""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bertshape.files import MAX_BYTES
from bertshape.strict_json import MAX_VALUES
from tests.hostile.model import CHECK, CONFIG, INSPECT, sound
from tests.hostile.process import COMMAND, environment
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
# A process that is small itself: what a child has used counts that of its parent before the start.
_MEASURE = (
    "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=open('memory', 'w')); sys.exit(code)"
)
# A gigabyte that is never on a disk, nor in a memory.
_GIGABYTE = "import os\nfor _ in range(1024): os.write(1, b'x' * 2**20)"


class Measured(NamedTuple):
    """How a command ended, and what it took."""

    code: int
    said: str
    megabytes: int


def measure(here: Path, *arguments: str, stdin: int | None = None) -> Measured:
    """Run `bertshape`, and see how much memory it took."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *COMMAND, *arguments],
        cwd=here,
        env=environment(),
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Measured(done.returncode, done.stdout + done.stderr, int((here / "memory").read_text()))


def claimed(here: Path) -> None:
    """A header that says it has 100 MB, in a file of 16 bytes."""
    (here / "m" / "model.safetensors").write_bytes(struct.pack("<QQ", 100_000_000, 0))


def padded(here: Path) -> None:
    """A header that has its 100 MB, of zeros."""
    with (here / "m" / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 100_000_000))
        file.truncate(100_000_100)


def header(content: bytes) -> Callable[[Path], None]:
    def make(here: Path) -> None:
        (here / "m" / "model.safetensors").write_bytes(struct.pack("<Q", len(content)) + content)

    return make


def sparse(name: str, size: int) -> Callable[[Path], None]:
    def make(here: Path) -> None:
        with (here / "m" / name).open("ab") as file:
            file.truncate(size)

    return make


def written(name: str, content: str | bytes) -> Callable[[Path], None]:
    def make(here: Path) -> None:
        (here / "m" / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def instead(name: str, other: Callable[[Path], None]) -> Callable[[Path], None]:
    """One file in place of another."""

    def make(here: Path) -> None:
        (here / "m" / name).unlink()
        other(here)

    return make


_LISTS = b'{"a":[' + b"[]," * 6_000_000 + b"[]]}"
_INDEX = b'{"weight_map":{"a":[' + b"[]," * 6_000_000 + b"[]]}}"
_FULL = json.dumps(dict(CONFIG) | {"x": []})[:-2].encode()
_NEAR = _FULL + b",".join([b"[]"] * ((MAX_BYTES - len(_FULL) - 10) // 3)) + b"]}"

ROWS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], int, str, int]] = {
    "sound": (lambda _: None, CHECK, 0, "ok", 60),
    "header that claims 100 MB": (claimed, CHECK, 1, "is cut off", 70),
    "header of 100 MB of zeros": (padded, CHECK, 1, "begins with", 170),
    "header of 100 MB, one string": (
        header(b'{"__metadata__":{"a":"' + b"x" * 99_999_000 + "\N{GRINNING FACE}".encode() + b'"}}'),
        CHECK,
        1,
        "backbone tensors",
        1000,
    ),
    "header of 6 million lists": (header(_LISTS), CHECK, 1, f"at most {MAX_VALUES:,}", 100),
    "header of as many lists as may be": (header(b'{"a":[' + b"[]," * 1_499_000 + b"[]]}"), CHECK, 1, "expected", 250),
    "header 5 million deep": (header(b'{"a":' + b"[" * 2_900_000), CHECK, 1, "nested too deeply", 100),
    "index of 6 million lists": (
        instead("model.safetensors", written("model.safetensors.index.json", _INDEX)),
        CHECK,
        1,
        f"at most {MAX_VALUES:,}",
        100,
    ),
    "config.json of 50 MB": (sparse("config.json", 50_000_000), CHECK, 3, "at most 8,000,000", 60),
    "config.json of 7.9 MB of lists": (written("config.json", _NEAR), CHECK, 0, "ok", 330),
    "config.json 7.9 million deep": (written("config.json", b"[" * 7_900_000), CHECK, 3, "too deeply", 100),
    "tokenizer.json of 1 GB": (sparse("tokenizer.json", 10**9), INSPECT, 3, "at most 128,000,000", 60),
    "vocab.txt of 1 GB": (
        instead("tokenizer.json", sparse("vocab.txt", 10**9)),
        INSPECT,
        3,
        "at most 128,000,000",
        60,
    ),
    "modules.json of 50 MB": (sparse("modules.json", 50_000_000), CHECK, 1, "at most 8,000,000", 60),
    "contract of 50 MB": (sparse("../bertshape.toml", 50_000_000), ("check",), 2, "at most 8,000,000", 60),
    "tensors of 2^40 names, one expectation": (
        lambda _: None,
        (*CHECK, "-e", "tensor:x.{0-999999999999}.y=[1]"),
        1,
        "nothing",
        60,
    ),
}


@pytest.mark.parametrize(("make", "arguments", "code", "words", "most"), ROWS.values(), ids=ROWS.keys())
def test_memory_of_files(
    tmp_path: Path, make: Callable[[Path], None], arguments: tuple[str, ...], code: int, words: str, most: int
) -> None:
    sound(tmp_path)
    make(tmp_path)
    measured = measure(tmp_path, *arguments)
    assert (measured.code, words in measured.said) == (code, True), measured.said[-2000:]
    assert measured.megabytes <= most
    assert measured.megabytes >= 10, "nothing was measured"


STREAMS: dict[str, tuple[tuple[str, ...], int]] = {
    "streamed": (("inspect", "-i", "-", "--format", "jsonl", *INSPECT[2:]), 110),
    "batched": (("inspect", "-i", "-", *INSPECT[2:]), 110),
    "profiled": (("profile", "-", "--model", "m"), 140),
}


@pytest.mark.parametrize(("arguments", "most"), STREAMS.values(), ids=STREAMS.keys())
def test_a_line_of_a_gigabyte_on_stdin(tmp_path: Path, arguments: tuple[str, ...], most: int) -> None:
    """It is given up after 16 MiB, and the rest is not read."""
    sound(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _GIGABYTE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as source:
        assert source.stdout is not None
        measured = measure(tmp_path, *arguments, stdin=source.stdout.fileno())
        source.stdout.close()
        assert source.wait(SECONDS) != 0, "the source was read to its end"
    assert (measured.code, "line 1 is longer than 16 MiB" in measured.said) == (2, True), measured.said
    assert measured.megabytes <= most


def test_a_line_of_json_that_is_as_costly_as_may_be(tmp_path: Path) -> None:
    sound(tmp_path)
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b'{"text": "a", "x": [' + b"[]," * 5_500_000 + b"[]]}\n")
    with path.open("rb") as texts:
        measured = measure(tmp_path, "inspect", "-i", str(path), *INSPECT[2:], stdin=texts.fileno())
    assert measured.code == 0
    assert measured.megabytes <= 600


LONG: dict[str, tuple[bytes, tuple[str, ...], int, str, int]] = {
    "profiled": (b"word " * 3_200_000, STREAMS["profiled"][0], 0, "3,200,002", 140),
    "profiled, no words": (
        b". " * 8_000_000,
        STREAMS["profiled"][0],
        2,
        "line 1 has 16,000,000 characters without",
        140,
    ),
    "streamed": (b"word " * 3_200_000, STREAMS["streamed"][0], 2, "has 16,000,000 characters; expected at most", 110),
    "batched": (b"word " * 3_200_000, STREAMS["batched"][0], 2, "has 16,000,000 characters; expected at most", 110),
    "streamed, the longest": (b". " * 500_000, (*STREAMS["streamed"][0], "--truncation"), 0, "", 520),
}


@pytest.mark.parametrize(("text", "arguments", "code", "words", "most"), LONG.values(), ids=LONG.keys())
def test_long_texts(tmp_path: Path, text: bytes, arguments: tuple[str, ...], code: int, words: str, most: int) -> None:
    """One of 16 million characters took 1.6 to 3.6 GB."""
    sound(tmp_path)
    path = tmp_path / "texts"
    path.write_bytes(text)
    with path.open("rb") as texts:
        measured = measure(tmp_path, *arguments, stdin=texts.fileno())
    assert (measured.code, words in measured.said) == (code, True), measured.said[-2000:]
    assert measured.megabytes <= most


@pytest.mark.parametrize("arguments", [STREAMS["streamed"][0], STREAMS["profiled"][0]], ids=["streamed", "profiled"])
def test_memory_does_not_grow_with_the_lines(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Ten times as many texts, and as much memory."""
    sound(tmp_path)
    used = []
    for count in (1_000, 10_000):
        path = tmp_path / "texts"
        path.write_text("a text\n" * count)
        with path.open("rb") as texts:
            measured = measure(tmp_path, *arguments, stdin=texts.fileno())
        assert measured.code == 0
        used.append(measured.megabytes)
    assert used[1] <= used[0] + 15


def test_the_documented_bounds_have_tests() -> None:
    """Each test that the table names is one of these, and the memory that it allows is what the table says."""
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    section = page.partition("## What a file may cost")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line[:1] == "|"]
    named = {row[-1].strip("`"): row[2] for row in rows if row[-1].startswith("`")}
    assert all(len(row) == 5 and re.match("[0-9]|–", row[3]) for row in rows[2:]), "what, bytes, memory, seconds, test"
    assert len(named) >= 10
    most = {name: row[-1] for name, row in (ROWS | LONG).items()}
    for name, memory in named.items():
        assert name in most or name in globals() or (ROOT / name).is_file(), name
        if name in most and "MB" in memory.partition(";")[0]:
            assert f"{most[name]} MB" in memory, name
