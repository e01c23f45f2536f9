"""A few seconds of guided fuzzing for each reader, where atheris is installed; FUZZ_SECONDS gives them more."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.seeds import SEEDS

ROOT = Path(__file__).parent.parent.parent
SECONDS = int(os.environ.get("FUZZ_SECONDS", "1"))

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="needs atheris: pip install atheris"),
]


@pytest.mark.parametrize("name", [name for name in SEEDS if name not in ("checkpoint", "modules", "tokenizer_files")])
def test_guided(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS * 2 + 100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs, done.stderr[-3000:]
    assert int(runs[1]) > 10
