"""`-o FILE`: the file holds what its ending says, or the command refuses and names an ending that it has."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from bertshape.cli.commands import COMMANDS
from bertshape.cli.pages import _ENDINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command

_LINES = {
    "inspect": "inspect hi --dry-run",
    "memory": "memory embedded:bert-base-uncased",
    "diff": "diff embedded:bert-base-uncased embedded:bert-large-uncased",
    "check": "check embedded:bert-base-uncased",
    "snapshot": "snapshot embedded:bert-base-uncased",
    "embed": "embed t.txt --weights random",
    "which": "which --probes -m {minilm}",
    "profile": "profile t.txt",
    "families": "families",
    "poolings": "poolings",
    "doctor": "doctor --no-torch --offline",
    "schema": "schema poolings",
}
_ARRAYS = (".npz", ".npy", ".safetensors", ".parquet", ".arrow", ".jsonl", ".csv", ".tsv", ".gz")
"""What `embed` writes; its own tests read them."""


def _table(text: str) -> None:
    rows = [*csv.reader(io.StringIO(text))]
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1


def _page(text: str) -> None:
    assert text.startswith("<!doctype html>")


def _markdown(text: str) -> None:
    assert re.search(r"^\|[ :-]+\|", text, re.M)


_READS: dict[str, Callable[[str], object]] = {
    ".csv": _table,
    ".htm": _page,
    ".html": _page,
    ".json": json.loads,
    ".jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    ".markdown": _markdown,
    ".md": _markdown,
    ".ndjson": lambda text: [json.loads(line) for line in text.splitlines()],
    ".sarif": json.loads,
    ".svg": ElementTree.fromstring,
    ".toml": tomllib.loads,
    ".txt": len,
    ".xml": ElementTree.fromstring,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_is_what_its_ending_says(name: str, run_cli: Command, tmp_path: Path, minilm: Path) -> None:
    (tmp_path / "t.txt").write_text("a text\n")
    line = _LINES[name].format(minilm=minilm).split()
    offered: set[str] = set()
    taken: set[str] = set()
    for ending in (*_ENDINGS, ".txt", ".HTML", ".npz", ".yaml", ".parquet"):
        if name == "embed" and ending in _ARRAYS:
            continue
        path = tmp_path / f"out{ending}"
        done = run_cli(*line, "-o", str(path), cwd=tmp_path)
        assert done.stdout == ""
        if done.returncode == 2:
            assert not path.exists()
            assert len(done.stderr.splitlines()) == 2
            offered |= set(re.findall(r"out(\.\w+)", done.stderr.splitlines()[1]))
        else:
            taken.add(ending)
            _READS[ending.lower()](path.read_text(encoding="utf-8"))
    assert offered <= taken
    assert offered or name == "embed"


@pytest.mark.parametrize("ending", ["", ".txt", ".log", ".2026-11-29"])
def test_plain_text_goes_under_any_other_name(ending: str, run_cli: Command, tmp_path: Path) -> None:
    path = tmp_path / f"report{ending}"
    assert run_cli("poolings", "-o", str(path)).returncode == 0
    assert "weightedmean" in path.read_text(encoding="utf-8")
