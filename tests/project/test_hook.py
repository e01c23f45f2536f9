"""The pre-commit hook: run for every file that `check` reads, and by pre-commit itself from a clean cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from bertshape import check_checkpoint
from tests.support.checkpoints import edited_copy
from tests.support.command_line import SECONDS
from tests.tools.hook import HOOKS, RECIPE, pattern, written
from tests.tools.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_hook_and_recipe_name_the_files_that_check_reads() -> None:
    """`python -m tests.tools.hook` writes them."""
    for path in (HOOKS, RECIPE):
        text = path.read_text(encoding="utf-8")
        assert pattern() in text
        assert written(text) == text


def test_every_file_that_a_check_opens_runs_the_hook(minilm: Path, tmp_path: Path) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    folder = edited_copy(minilm, tmp_path / "model")
    opened: set[str] = set()
    listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "open" and str(arguments[0]).startswith(f"{folder}{os.sep}"):
            opened.add(os.path.relpath(str(arguments[0]), tmp_path))

    sys.addaudithook(listen)
    assert check_checkpoint(folder).passed
    listening = False
    assert {"model/config.json", "model/sentence_bert_config.json", "model/1_Pooling/config.json"} <= opened
    assert [name for name in opened if not re.search(hook["files"], name)] == []
    assert not re.search(hook["files"], "docs/README.md")
    for name in ("models/m/vocab.txt", "spiece.model", "m/pytorch_model.bin.index.json", "m/x-00001.safetensors"):
        assert re.search(hook["files"], name), name


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, timeout=SECONDS)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_try_repo_from_a_clean_cache(minilm: Path, tmp_path: Path) -> None:
    """pre-commit installs the core from a clone of these sources; a sound repository passes, a broken one fails."""
    pytest.importorskip("pre_commit")
    sources, work = tmp_path / "sources", tmp_path / "work"
    ignored = shutil.ignore_patterns(".*_cache", "__pycache__", ".git", "tests", "docs", "build", "dist")
    shutil.copytree(ROOT, sources, ignore=ignored)
    edited_copy(minilm, work / "good")
    (work / "bertshape.toml").write_text('[[checkpoint]]\nmodel = "./good"\nexpect = ["hidden_size=384"]\n')
    for folder in (sources, work):
        _git(folder, "init", "-q")
        _git(folder, "add", "-A")
        _git(folder, "commit", "-q", "-m", "all")
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(sources), "bertshape-check", "--all-files", "-v"]
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache")}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    done = run()
    if "pip" in done.stdout + done.stderr and "connection" in (done.stdout + done.stderr).lower():
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    assert not list((tmp_path / "cache").rglob("site-packages/torch"))
    edited_copy(minilm, work / "bad", intermediate_size=1000)
    (work / "bertshape.toml").write_text('[[checkpoint]]\nmodel = "./bad"\n')
    _git(work, "add", "-A")
    done = run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "intermediate_size" in done.stdout
