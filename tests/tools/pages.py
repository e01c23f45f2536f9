"""The console blocks of the pages, with what their commands print: `python -m tests.tools.pages [PAGE...]` writes them.

Each block has a folder of its own, with the checkpoints that the pages speak of.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.checkpoints import edited_copy, minilm_folder
from tests.support.command_line import SECONDS, call

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONSOLE = re.compile(r"```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```", flags=re.DOTALL)

_CORPUS = """A short text.
Another one, a little longer than the first.
The third text is the longest of them all, for somebody has to be, and it goes on for a while.
Unbelievably, the last one has words that are cut into pieces.
"""


def make_place(folder: Path) -> Path:
    """A working folder with the checkpoints that the pages speak of."""
    (folder / "all-MiniLM-L6-v2").symlink_to(minilm_folder())
    edited_copy(minilm_folder(), folder / "eight-layers", num_hidden_layers=8)
    (folder / "corpus.txt").write_text(_CORPUS, encoding="utf-8")
    return folder


def show(command: str, place: Path) -> str:
    """What a terminal of 80 columns shows, colours off.

    Args:
        command: A command line for bash. One that only calls bertshape runs in this process, without bash.
        place: Working directory.
    """
    if (arguments := _plain(command)) is not None:
        done = call(*arguments, cwd=place)
        return done.stdout + done.stderr
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=SECONDS,
    ).stdout


def _plain(command: str) -> list[str] | None:
    """The arguments of a command line that calls bertshape and uses nothing of a shell but quotes."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    first, *arguments = lexer
    if first != "bertshape" or "$" in command or any(set(word) <= set("|;&<>()") for word in arguments):
        return None
    return arguments


def _real_block(match: re.Match[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return f"```console\n$ {match['command']}\n{show(match['command'], make_place(Path(folder)))}```"


def main() -> None:
    """Write the real output into the pages named, or into all."""
    for page in [Path(name) for name in sys.argv[1:]] or PAGES:
        page.write_text(CONSOLE.sub(_real_block, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
