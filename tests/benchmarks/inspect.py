"""`inspect` against the plain script, and against a floor of its own libraries."""

from __future__ import annotations

import contextlib
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.processes import BERTSHAPE, ENVIRONMENT, Row, in_turn, measure, peak, plain_script
from tests.support.checkpoints import minilm_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TEXT = "This is an example sentence."
_FLOOR = """
import json, sys
from pathlib import Path
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer
folder = Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text())
with (folder / "model.safetensors").open("rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
encoding = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(sys.argv[2])
table = Table("position", "token", "id")
for position, (token, number) in enumerate(zip(encoding.tokens, encoding.ids)):
    table.add_row(str(position), token, str(number))
Console().print(table, len(header), [1, len(encoding), config["hidden_size"]])
"""
_EMPTY_BERT = """
import sys
from transformers import BertConfig, BertModel
BertModel(BertConfig()).save_pretrained(sys.argv[1])
"""


def rows() -> Iterator[Row]:
    """All measurements of `inspect`."""
    minilm = minilm_folder()
    stored = (*BERTSHAPE, "inspect", TEXT, "--model", str(minilm))
    plain = plain_script(minilm)
    light = (*stored, "--weights", "none")
    in_turn(light, plain, runs=0)
    # All against the same runs of the plain script, which is the slowest of them.
    turns = [(measure(light), _first_table(stored), measure(stored), measure(plain)) for _ in range(7)]
    predicted = statistics.median(one.wall / other.wall for one, _, _, other in turns)
    first = statistics.median(seconds / other.wall for _, seconds, _, other in turns)
    whole = statistics.median(one.wall / other.wall for _, _, one, other in turns)
    yield Row("`inspect --weights none`, wall time against the plain script", predicted, 1 / 18)
    floor = (sys.executable, "-c", _FLOOR, str(minilm), TEXT)
    yield Row("`inspect --weights none`, against tokenizers + header + a Rich table", _ratio(light, floor), 1.6)
    yield Row("first table of a real `inspect` on a terminal, against the plain script", first, 1 / 15)
    yield Row("`inspect` on MiniLM, wall time against the plain script", whole, 0.7)
    memory = peak([turn[2] for turn in turns]) / peak([turn[3] for turn in turns])
    yield Row("`inspect` on MiniLM, peak memory against the plain script", memory, 1.0)
    with tempfile.TemporaryDirectory() as folder:
        yield from _default_rows(Path(folder), minilm)
    bare = (sys.executable, "-c", "import typer, rich")
    yield Row("`--help`, against importing typer and rich", _ratio((*BERTSHAPE, "--help"), bare), 1.5)


def _default_rows(folder: Path, tokenizer: Path) -> Iterator[Row]:
    """The embedded default against the plain script on a stored bert-base of the same dimensions."""
    subprocess.run([sys.executable, "-c", _EMPTY_BERT, str(folder)], check=True, capture_output=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tokenizer / name).read_bytes())
    default = in_turn((*BERTSHAPE, "inspect", TEXT), plain_script(folder))
    yield Row("`inspect` on the embedded default, wall time against the plain script", default.ratio, 1.1)
    memory = peak(default.first) / peak(default.second)
    yield Row("`inspect` on the embedded default, peak memory against the plain script", memory, 1.0)


def _ratio(first: Sequence[str], second: Sequence[str]) -> float:
    return in_turn(first, second).ratio


def _first_table(command: Sequence[str]) -> float:
    """Seconds until the table of tokens is on a terminal; a pipe gets the report in one piece, when it is whole."""
    ours, theirs = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
    begin, seen, seconds = time.perf_counter(), b"", None
    with subprocess.Popen(list(command), stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # What Linux says where the other end is closed.
            while piece := os.read(ours, 1 << 16):
                seen += piece
                if seconds is None and b"[SEP]" in seen:
                    seconds = time.perf_counter() - begin
    os.close(ours)
    if seconds is None or process.returncode:
        raise RuntimeError(f"{command} printed no table")
    return seconds
