"""Ctrl-C and SIGTERM in each phase: the process ends at once and quietly, and leaves no mess.

Each phase is one that the test can be sure of: the process has opened a pipe, asked a server, or drawn a table.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.hostile.model import sound
from tests.hostile.process import COMMAND, environment
from tests.support.command_line import SECONDS
from tests.support.loopback_hub import User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow
INTERRUPT, TERMINATE = (signal.SIGINT, 130), (signal.SIGTERM, 143)
each_signal = pytest.mark.parametrize(("number", "code"), [INTERRUPT, TERMINATE], ids=["SIGINT", "SIGTERM"])
# Those that read texts, each with a pipe in place of a file.
READERS = {
    "stream": ("inspect", "-i", "pipe", "--format", "jsonl", "--weights", "none", "--model", "m"),
    "batch": ("inspect", "-i", "pipe", "--weights", "none", "--model", "m"),
    "embed": ("embed", "pipe", "-o", "out.npz", "--model", "m"),
    "profile": ("profile", "pipe", "--model", "m"),
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    sound(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def start(here: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=here,
        env=variables or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def hold_end(process: subprocess.Popen[str], code: int, folder: Path) -> None:
    """How a process ends that got a signal."""
    with process:
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == code, errors
    assert errors in ("", "bertshape: error: interrupted\n")
    assert sorted(path.name for path in folder.iterdir()) == ["m", "pipe"]


@each_signal
@pytest.mark.parametrize("arguments", READERS.values(), ids=READERS.keys())
def test_while_texts_are_awaited(here: Path, arguments: tuple[str, ...], number: int, code: int) -> None:
    process = start(here, *arguments)
    with (here / "pipe").open("w") as texts:  # waits until the other end is open
        texts.write("a text\n")
        texts.flush()
        process.send_signal(number)
        hold_end(process, code, here)


def await_import(process: subprocess.Popen[bytes], module: str) -> None:
    """Read what `-X importtime` writes until a module is imported; nothing beyond that line is taken."""
    assert process.stderr is not None
    while line := process.stderr.readline():
        if line.decode().rpartition("|")[2].strip() == module:
            return
    raise AssertionError(f"{module} was never imported")


@each_signal
@pytest.mark.parametrize("module", ["typer", "tokenizers", "numpy", "torch", "transformers.modeling_utils"])
def test_while_modules_are_imported(here: Path, module: str, number: int, code: int) -> None:
    """Whichever import the signal meets, the process says one line at most, and leaves no file."""
    (here / "texts").write_text("a text\n" * 1_000)
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], "embed", "texts", "-o", "out.npz", "--model", "m"]
    with subprocess.Popen(command, cwd=here, env=environment(), stderr=subprocess.PIPE, bufsize=0) as process:
        await_import(process, module)
        process.send_signal(number)
        _, errors = process.communicate(timeout=SECONDS)
    said = [line for line in errors.decode().splitlines() if not line.startswith("import time:")]
    assert (process.returncode, said) in ((code, []), (code, ["bertshape: error: interrupted"]))
    assert sorted(path.name for path in here.iterdir()) == ["m", "pipe", "texts"]


@each_signal
def test_no_import_is_waited_for(here: Path, number: int, code: int) -> None:
    """The import of torch takes seconds, 20 of them beside other work: the process ends within it."""
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], "inspect", "a", "--model", "m", "--json"]
    with subprocess.Popen(command, cwd=here, env=environment(), stderr=subprocess.PIPE, bufsize=0) as process:
        await_import(process, "torch.torch_version")
        process.send_signal(number)
        _, errors = process.communicate(timeout=SECONDS)
    imported = [line.rpartition("|")[2].strip() for line in errors.decode().splitlines()]
    assert process.returncode == code
    assert "torch" not in imported, "it was imported to its end"


_DROPPED = """
import os, signal, sys
from bertshape.__main__ import catch_signals
from bertshape.files import written_whole
from pathlib import Path
catch_signals()
class Stopped:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))
with written_whole(Path("out")) as file:
    file.write(b"x")
    stopped = Stopped()
    print("said", end="")
    del stopped
    print("went on")
"""


@each_signal
def test_a_signal_that_python_drops_is_taken_all_the_same(here: Path, number: int, code: int) -> None:
    """What a handler raises in a destructor or a callback is dropped, with a traceback on stderr."""
    done = subprocess.run(
        [COMMAND[0], "-c", _DROPPED, str(int(number))], cwd=here, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "said", "")
    assert sorted(path.name for path in here.iterdir()) == ["m", "pipe"]


@each_signal
def test_while_the_hub_is_asked(here: Path, number: int, code: int) -> None:
    """A Hub that takes the call and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        user = User(here / "m" / "home", f"http://127.0.0.1:{server.getsockname()[1]}")
        process = start(here, "check", "org/name", variables=user.environment())
        server.settimeout(SECONDS)
        with server.accept()[0] as call:
            call.recv(1)
            process.send_signal(number)
            hold_end(process, code, here)


@each_signal
def test_while_a_table_is_drawn(here: Path, number: int, code: int) -> None:
    """The cursor that was hidden for the drawing is shown again, and no half report is left."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    variables = environment(TERM="xterm-256color")
    command = [*COMMAND, "inspect", "a text", "--model", "embedded:bert-large-uncased"]
    with subprocess.Popen(command, cwd=here, env=variables, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        raw = b""
        while b"importing torch" not in raw:
            raw += os.read(master, 65536)
        process.send_signal(number)
        while True:
            try:
                more = os.read(master, 65536)
            except OSError:  # Linux says EIO when the other end has closed
                break
            raw += more
        assert process.wait(SECONDS) == code
    os.close(master)
    assert b"Traceback" not in raw
    assert raw.count(b"\x1b[?25l") >= 1
    assert raw.rfind(b"\x1b[?25h") > raw.rfind(b"\x1b[?25l")
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(b"before\r\n" + raw)
    assert [line.rstrip() for line in screen.display if line.strip()] in (["before"], [])


def test_signals_that_are_ignored_stay_so(here: Path) -> None:
    """What nohup does."""
    process = subprocess.Popen(
        ["bash", "-c", 'trap "" HUP; exec "$@"', "bash", *COMMAND, *READERS["stream"]],
        cwd=here,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with (here / "pipe").open("w") as texts:
        process.send_signal(signal.SIGHUP)
        texts.write("a text\n")
    with process:
        output, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors, output.count("\n")) == (0, "", 1)
