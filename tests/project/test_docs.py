"""Every console block of README and docs is run and compared; every python block is executed.

Each block has a folder of its own. `python -m tests.project.test_docs [PAGE...]` writes the real output.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.checkpoints import edited_copy, minilm_folder

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_CONSOLE = re.compile(r"```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```", flags=re.DOTALL)
_PYTHON = re.compile(r"```python\n(?P<code>.*?)```", flags=re.DOTALL)


def blocks(pattern: re.Pattern[str]) -> list[tuple[str, re.Match[str]]]:
    return [
        (page.relative_to(ROOT).as_posix(), match)
        for page in PAGES
        for match in pattern.finditer(page.read_text(encoding="utf-8"))
    ]


def make_place(folder: Path) -> Path:
    """A working folder with the checkpoints that the pages speak of."""
    (folder / "all-MiniLM-L6-v2").symlink_to(minilm_folder())
    edited_copy(minilm_folder(), folder / "eight-layers", num_hidden_layers=8)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_place(tmp_path)


def run(command: str, place: Path) -> str:
    """What a terminal of 80 columns shows, colours off."""
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(("page", "block"), blocks(_CONSOLE), ids=lambda value: value if isinstance(value, str) else "")
def test_console_blocks_show_what_the_command_prints(page: str, block: re.Match[str], place: Path) -> None:
    if "| jq " in block["command"] and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    assert run(block["command"], place) == block["output"]


@pytest.mark.parametrize(("page", "block"), blocks(_PYTHON), ids=lambda value: value if isinstance(value, str) else "")
def test_python_blocks_run(page: str, block: re.Match[str]) -> None:
    subprocess.run([sys.executable, "-c", block["code"]], check=True)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.+?)\n```", readme)
    assert len(commands) == 2
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert json.dumps(commands[1]).count("pytest") == 1


def _real_block(match: re.Match[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return f"```console\n$ {match['command']}\n{run(match['command'], make_place(Path(folder)))}```"


def _rewrite(pages: list[Path]) -> None:
    for page in pages:
        text = page.read_text(encoding="utf-8")
        page.write_text(_CONSOLE.sub(_real_block, text), encoding="utf-8")


if __name__ == "__main__":
    _rewrite([Path(name) for name in sys.argv[1:]] or PAGES)
