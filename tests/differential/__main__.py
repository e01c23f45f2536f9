"""Run areas for as long as one wants: `python -m tests.differential --seconds 600 --area tokens`."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from tests.differential.area import run

AREAS = ("tokens", "model", "encode", "verdicts", "memory")


def main() -> int:
    """Print what differs, and the number of cases."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for how long, shared by the areas")
    parser.add_argument("--area", choices=AREAS, action="append", help="which areas; all by default")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first case")
    parser.add_argument("--cases", type=int, default=10**9, help="number of cases of an area at most")
    parser.add_argument("--keep", type=Path, help="folder for the cases that differ; a new one by default")
    options = parser.parse_args()
    areas = options.area or list(AREAS)
    kept = options.keep or Path(tempfile.mkdtemp(prefix="differential-"))
    failed = False
    for name in areas:
        outcome = run(
            importlib.import_module(f"tests.differential.{name}"),
            kept / name,
            first=options.seed,
            seconds=options.seconds / len(areas),
            most=options.cases,
        )
        for seed, difference in outcome.differing.items():
            print(f"--- {name}, seed {seed}, in {kept / name / str(seed)}\n{difference}")
        print(f"{name}: {outcome.cases} cases, {len(outcome.differing)} differ")
        failed |= bool(outcome.differing)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
