"""Run the command line in a real terminal of a given size, and read the screen as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass

import pyte

from tests.support.command_line import SECONDS


@dataclass(frozen=True)
class TerminalRun:
    """What a run left behind.

    Attributes:
        raw: All bytes that the terminal was sent, in order.
        screen: The lines that the terminal shows in the end, those scrolled away included.
        code: Exit code.
    """

    raw: str
    screen: list[str]
    code: int


def run_in_terminal(*arguments: str, columns: int = 80, lines: int = 100, **environment: str) -> TerminalRun:
    """Run `bertshape` with stdout and stderr on a pseudo-terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    variables = os.environ | {"TERM": "xterm-256color"} | environment
    for name in ("COLUMNS", "LINES"):
        variables.pop(name, None)
    command = [sys.executable, "-m", "bertshape", *arguments]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=variables, close_fds=True) as process:
        os.close(slave)
        raw = _read_all(master)
        code = process.wait(timeout=SECONDS)
    os.close(master)
    screen = pyte.HistoryScreen(columns, lines, history=10_000)
    pyte.ByteStream(screen).feed(raw)
    above = ["".join(line[column].data for column in range(columns)).rstrip() for line in screen.history.top]
    shown = above + [line.rstrip() for line in screen.display]
    return TerminalRun(raw.decode("utf-8", "replace"), shown, code)


def _read_all(master: int) -> bytes:
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # Linux says EIO when the other end has closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)
