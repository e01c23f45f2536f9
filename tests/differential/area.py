"""What an area of the differential tests offers, and how long it runs."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class Area(Protocol):
    """A module of one area."""

    def check(self, rng: random.Random, folder: Path) -> str:
        """Make one case in an empty folder, from this generator alone.

        Returns:
            What differs, in a few lines; an empty string where nothing does.
        """


@dataclass
class Outcome:
    """How a run went.

    Attributes:
        cases: How many cases were compared.
        differing: What differed, by the seed of the case.
    """

    cases: int = 0
    differing: dict[int, str] = field(default_factory=dict)


def run(area: Area, folder: Path, *, first: int, seconds: float, most: int = 10**9, stop_at: int = 20) -> Outcome:
    """Compare cases of rising seeds until the time is over.

    Args:
        area: The area.
        folder: A folder that does not exist; it is left empty of what passed, and holds what differed.
        first: Seed of the first case.
        seconds: For how long.
        most: Number of cases at most.
        stop_at: Number of differing cases after which to stop.
    """
    outcome = Outcome()
    end = time.monotonic() + seconds
    while outcome.cases < most and len(outcome.differing) < stop_at and time.monotonic() < end:
        seed = first + outcome.cases
        here = folder / str(seed)
        here.mkdir(parents=True)
        difference = area.check(random.Random(seed), here)
        outcome.cases += 1
        if difference:
            outcome.differing[seed] = difference
        else:
            shutil.rmtree(here)
    return outcome
