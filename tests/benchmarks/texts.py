"""Texts a second against `encode` of sentence-transformers; `--layers` against torchinfo; streaming by itself."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.checkpoint.locate import locate
from tests.benchmarks.processes import BERTSHAPE, ENVIRONMENT, Row, in_turn, measure, median_wall, peak
from tests.benchmarks.profile import write_lines
from tests.support.checkpoints import minilm_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TEXTS = 1_000
_MIXED = 400
"""Of 3 to 250 words: as a corpus of titles, paragraphs and pages has them."""
_RUNS = 5
_ENCODE = """
import sys, time
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1])
texts = open(sys.argv[2], encoding="utf-8").read().splitlines()
begin = time.perf_counter()
model.encode(texts, batch_size=32)
print(len(texts) / (time.perf_counter() - begin))
"""
_TORCHINFO = """
import sys, torch
from torchinfo import summary
from transformers import AutoModel, AutoTokenizer
tokenizer, model = AutoTokenizer.from_pretrained(sys.argv[1]), AutoModel.from_pretrained(sys.argv[1])
inputs = tokenizer(sys.argv[2], return_tensors="pt")
print(summary(model, input_data=dict(inputs), depth=6, verbose=0))
"""


def rows() -> Iterator[Row]:
    """All measurements on many texts, and those against torchinfo and encode as whole processes."""
    minilm, text = minilm_folder(), "This is an example sentence."
    tokenizer = locate(None).tokenizer_folder / "tokenizer.json"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = write_lines(folder / "texts.txt", _TEXTS, tokenizer)
        embed = (*BERTSHAPE, "embed", str(texts), "-o", str(folder / "out.npz"), "-m", str(minilm), "--json")
        encode = (sys.executable, "-c", _ENCODE, str(minilm), str(texts))
        mixed = write_lines(folder / "mixed.txt", _MIXED, tokenizer, (3, 250))
        both = [
            (_embedded((*embed[:4], str(mixed), *embed[5:])), _encoded((*encode[:-1], str(mixed))))
            for _ in range(_RUNS)
        ]
        what = "`embed` on MiniLM, time a text against `encode`, texts of 3 to 250 words"
        yield Row(what, statistics.median(theirs / ours for ours, theirs in both), 0.75)
        pairs = [(_embedded(embed), _encoded(encode)) for _ in range(_RUNS)]
        yield Row("`embed` on MiniLM, time a text against `encode`", statistics.median(b / a for a, b in pairs), 1.0)
        yield Row("`embed` on MiniLM", statistics.median(a for a, _ in pairs), unit=" texts/s")
        yield Row("sentence-transformers `encode` on MiniLM", statistics.median(b for _, b in pairs), unit=" texts/s")
        whole = in_turn(
            (*BERTSHAPE, "inspect", text, "-m", str(minilm)), (*encode[:-1], str(_one(folder, text))), runs=3
        )
        yield Row("`inspect` on MiniLM, wall time against loading and one `encode`", whole.ratio)
        layers = (*BERTSHAPE, "inspect", text, "-m", str(minilm), "--layers")
        info = in_turn(layers, (sys.executable, "-c", _TORCHINFO, str(minilm), text), runs=3)
        yield Row("`inspect --layers` on MiniLM, wall time against torchinfo", info.ratio)
        yield from _stream(folder, tokenizer)


def _stream(folder: Path, tokenizer: Path) -> Iterator[Row]:
    command = (*BERTSHAPE, "inspect", "--format", "jsonl", "--weights", "none", "--input")
    lines = [write_lines(folder / f"{count}.txt", count, tokenizer) for count in (10_000, 100_000)]
    few, many = (measure((*command, str(path))) for path in lines)
    yield Row(
        "streamed `inspect --weights none`, peak memory on 100,000 lines against 10,000",
        peak([many]) / peak([few]),
        1.1,
    )
    yield Row("streamed `inspect --weights none`", 100_000 / median_wall([many]), unit=" texts/s")


def _one(folder: Path, text: str) -> Path:
    path = folder / "one.txt"
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _embedded(command: Sequence[str]) -> float:
    document = json.loads(_output(command))
    return float(document["texts"] / document["seconds"])


def _encoded(command: Sequence[str]) -> float:
    return float(_output(command))


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(
        list(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, env=ENVIRONMENT
    )
    return done.stdout
