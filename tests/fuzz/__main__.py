"""Guided fuzzing of one reader with atheris: `python -m tests.fuzz header -max_total_time=600`.

Further arguments are libFuzzer's; the seeds are in a folder of their own, and a finding is kept where it was started.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bertshape"]):
    from tests.fuzz.seeds import SEEDS
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the target named first, for ever unless an argument says otherwise."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz {{{','.join(TARGETS)}}} [LIBFUZZER OPTION]...")
    name, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[name]):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], "-timeout=30", "-rss_limit_mb=2000", *options, folder], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
