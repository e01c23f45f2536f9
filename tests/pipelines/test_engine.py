"""The recipes of docs/profile.md and docs/python.md, run for real: an engine maps over the shards of a dataset."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy
import pyarrow
import pytest
from pyarrow import parquet

from bertshape import Embedder
from tests.support.command_line import SECONDS

pytestmark = pytest.mark.engine
DOCS = Path(__file__).parent.parent.parent / "docs"


def run_recipe(page: str, folder: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    match = re.search(r"```py\n(?P<code>.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert match is not None
    command = [sys.executable, "-c", match["code"]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr


def test_ray_maps_over_shards(tmp_path: Path) -> None:
    """The very code of the page, on shards of a dataset; the result is that of one process, byte for byte."""
    for number in range(6):
        lines = [f"sentence {index} of shard {number} " + "word " * (index % 17) for index in range(100 + number)]
        (tmp_path / f"shard-{number}.txt").write_text("\n".join(lines) + "\n")
    run_recipe("profile.md", tmp_path)
    shards = sorted(path.name for path in tmp_path.glob("shard-*.txt"))
    whole = subprocess.run(
        [sys.executable, "-m", "bertshape", "profile", *shards, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "corpus.json").read_text() == whole.stdout


def test_ray_embeds_shards(minilm: Path, tmp_path: Path) -> None:
    """The vectors are those of one process; their order is the engine's."""
    texts = {
        f"{shard}-{row}": f"text {row} of shard {shard} " + "word " * row for shard in range(3) for row in range(40)
    }
    (tmp_path / "shards").mkdir()
    (tmp_path / "all-MiniLM-L6-v2").symlink_to(minilm)
    for shard in range(3):
        part = {name: text for name, text in texts.items() if name.startswith(f"{shard}-")}
        table = pyarrow.table({"id": list(part), "text": list(part.values())})
        parquet.write_table(table, tmp_path / "shards" / f"{shard}.parquet")
    run_recipe("python.md", tmp_path)
    found = [row for path in (tmp_path / "vectors").iterdir() for row in parquet.read_table(path).to_pylist()]
    expected = dict(zip(texts, Embedder(minilm).encode(list(texts.values())), strict=True))
    assert len(found) == len(expected)
    for row in found:
        numpy.testing.assert_allclose(numpy.array(row["vector"]), expected[row["id"]], atol=1e-6)
