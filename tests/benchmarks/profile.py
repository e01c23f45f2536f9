"""`profile` against a bare loop over the tokenizer, and its memory on ten times the lines."""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.checkpoint.locate import locate
from tests.benchmarks.processes import BERTSHAPE, Pairing, Row, measure, median_wall, peak

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = 1_000_000
_BARE = """
import itertools, os, sys
os.environ["TOKENIZERS_PARALLELISM"] = "true"
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[2])
tokenizer.no_padding(); tokenizer.no_truncation()
total = 0
with open(sys.argv[1], encoding="utf-8") as file:
    while chunk := list(itertools.islice(file, 2000)):
        total += sum(map(len, tokenizer.encode_batch_fast(chunk)))
print(total)
"""


def rows() -> Iterator[Row]:
    """All measurements of `profile`."""
    tokenizer = locate(None).tokenizer_folder / "tokenizer.json"
    with tempfile.TemporaryDirectory() as folder:
        million = write_lines(Path(folder) / "million.txt", _LINES, tokenizer)
        tenth = write_lines(Path(folder) / "tenth.txt", _LINES // 10, tokenizer)
        bare = (sys.executable, "-c", _BARE, str(million), str(tokenizer))
        # No run to warm up: each takes many seconds, and both read a file that was written just now.
        pairs = [(measure((*BERTSHAPE, "profile", str(million))), measure(bare)) for _ in range(3)]
        small = measure((*BERTSHAPE, "profile", str(tenth)))
    speed = Pairing(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
    yield Row("`profile` on a million lines, wall time against a bare loop over encode_batch_fast", speed.ratio, 1.05)
    yield Row("`profile`, peak memory on a million lines against a tenth of them", peak(speed.first) / small.peak, 1.1)
    yield Row("`profile` on a million lines, peak memory", peak(speed.first), unit=" MB")
    yield Row("`profile`, lines a second", _LINES / median_wall(speed.first), unit="")


def write_lines(path: Path, count: int, tokenizer: Path, words_each: tuple[int, int] = (3, 25)) -> Path:
    """Lines of so many words of the vocabulary."""
    vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    words = [word for word in vocabulary if word.isalpha()][:10_000]
    chosen = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            file.write(" ".join(chosen.choices(words, k=chosen.randint(*words_each))) + "\n")
    return path
