"""Time two commands in turn, A B A B, and compare them pair by pair, so that a drifting machine harms neither."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# As a user has it: compiled once, by pip or by the first run, and not anew at every start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
BERTSHAPE = (sys.executable, "-m", "bertshape")


@dataclass(frozen=True)
class Measure:
    """One run of one process.

    Attributes:
        wall: Seconds from start to end.
        peak: Largest resident memory, in MB.
    """

    wall: float
    peak: float


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        measured: The number.
        limit: What it must be at most; None where it is only shown.
        unit: Of both numbers; empty for a ratio.
    """

    what: str
    measured: float
    limit: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"{self.limit:.3g}{self.unit}"
        verdict = "" if self.limit is None else ("yes" if self.measured <= self.limit else "**no**")
        return f"| {self.what} | {self.measured:.3g}{self.unit} | {limit} | {verdict} |"


@dataclass(frozen=True)
class Pairing:
    """Two commands, measured in turn."""

    first: tuple[Measure, ...]
    second: tuple[Measure, ...]

    @property
    def ratio(self) -> float:
        """Median of the ratios of wall time, pair by pair."""
        pairs = zip(self.first, self.second, strict=True)
        return statistics.median(one.wall / other.wall for one, other in pairs)


def measure(command: Sequence[str]) -> Measure:
    """Run one process to its end; its output is thrown away.

    Raises:
        RuntimeError: It fails, so its time would mean nothing.
    """
    with open(os.devnull, "w") as nowhere:
        begin = time.perf_counter()
        with subprocess.Popen(
            list(command), stdout=nowhere, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        ) as process:
            errors = process.stderr.read() if process.stderr else ""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
    if process.returncode:
        raise RuntimeError(f"{command} exited with {process.returncode}: {errors}")
    return Measure(wall, usage.ru_maxrss / 1024)


def in_turn(first: Sequence[str], second: Sequence[str], runs: int = 7) -> Pairing:
    """Run two commands in turn, once each to warm up, then `runs` times each."""
    measure(first)
    measure(second)
    pairs = [(measure(first), measure(second)) for _ in range(runs)]
    return Pairing(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def median_wall(measures: Sequence[Measure]) -> float:
    """Median wall time in seconds."""
    return statistics.median(measure.wall for measure in measures)


def peak(measures: Sequence[Measure]) -> float:
    """Largest memory of all runs, in MB."""
    return max(measure.peak for measure in measures)


def plain_script(folder: Path) -> tuple[str, ...]:
    """What people write without bertshape: Auto classes, one forward pass, shapes printed."""
    code = (
        "import sys, torch; from transformers import AutoModel, AutoTokenizer\n"
        "tokenizer, model = AutoTokenizer.from_pretrained(sys.argv[1]), AutoModel.from_pretrained(sys.argv[1])\n"
        "with torch.no_grad(): out = model(**tokenizer('This is an example sentence.', return_tensors='pt'))\n"
        "print(out.last_hidden_state.shape, out.pooler_output.shape)"
    )
    return (sys.executable, "-c", code, str(folder))
