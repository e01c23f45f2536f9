"""The recipe of docs/profile.md, run for real: an engine maps over the shards, and the counts are added up."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import SECONDS

pytestmark = pytest.mark.engine
RECIPE = Path(__file__).parent.parent.parent / "docs" / "profile.md"


def test_ray_maps_over_shards(tmp_path: Path) -> None:
    """The very code of the page, on shards of a dataset; the result is that of one process, byte for byte."""
    pytest.importorskip("ray", reason="Ray is not installed")
    for number in range(6):
        lines = [f"sentence {index} of shard {number} " + "word " * (index % 17) for index in range(100 + number)]
        (tmp_path / f"shard-{number}.txt").write_text("\n".join(lines) + "\n")
    match = re.search(r"```py\n(?P<code>.*?)```", RECIPE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert match is not None
    done = subprocess.run(
        [sys.executable, "-c", match["code"]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    shards = sorted(path.name for path in tmp_path.glob("shard-*.txt"))
    whole = subprocess.run(
        [sys.executable, "-m", "bertshape", "profile", *shards, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "corpus.json").read_text() == whole.stdout
