"""The exit code is what was found, whatever becomes of the reader; what cannot be read is no failure to write."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import termios
import time
from array import array
from typing import TYPE_CHECKING

import pytest

from bertshape.cli.main import _as_failure
from bertshape.errors import ExitCode
from tests.hostile.model import CONFIG, INSPECT, sound, with_config, with_file
from tests.hostile.process import COMMAND, environment, permissions_count, run
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIPE_BYTES = 65_536
"""What a pipe holds before it is full."""
UNSOUND = with_config(num_hidden_layers=4)


@pytest.fixture
def deaf() -> Iterator[int]:
    """A pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "m"),
        ("check", "m", "--json"),
        ("check", "m", "--format", "github"),
        INSPECT,
        (*INSPECT, "--json"),
        ("diff", "m", "embedded:bert-tiny-uncased"),
    ],
    ids=" ".join,
)
def test_a_verdict_survives_its_reader(tmp_path: Path, deaf: int, arguments: tuple[str, ...]) -> None:
    """`bertshape check bad | true` in a CI job."""
    UNSOUND(tmp_path)
    done = run(tmp_path, *arguments, stdout=deaf)
    assert (done.returncode, done.stderr) == (ExitCode.FAILED, "")


def test_a_sound_checkpoint_and_a_reader_that_left(tmp_path: Path, deaf: int) -> None:
    sound(tmp_path)
    done = run(tmp_path, "check", "m", stdout=deaf)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    # Nobody reads the message either: what is left is the code.
    assert run(tmp_path, "check", "--nosuch", "--json", stdout=deaf, stderr=deaf).returncode == ExitCode.USAGE


def test_a_file_that_was_asked_for_and_breaks_is_a_failure(tmp_path: Path, deaf: int) -> None:
    sound(tmp_path)
    done = run(tmp_path, "snapshot", "m", "-o", "/dev/stdout", stdout=deaf)
    assert (done.returncode, "Broken pipe" in done.stderr) == (ExitCode.OUTPUT, True)


def test_a_stream_without_end_stops_when_its_reader_leaves(tmp_path: Path) -> None:
    UNSOUND(tmp_path)
    command = " ".join([*COMMAND, "inspect", "-i", "-", "--format", "jsonl", *INSPECT[2:]])
    line = f"yes a text | {command} | head -n 1; echo ${{PIPESTATUS[1]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    record, code = done.stdout.splitlines()
    assert json.loads(record)["index"] == 0
    assert (int(code), done.stderr) == (ExitCode.FAILED, "")


def test_a_pipe_that_does_not_wait_is_waited_for(tmp_path: Path) -> None:
    """Node.js gives its children pipes in which a full buffer is an error."""
    sound(tmp_path)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    waiting = array("i", [0])
    with subprocess.Popen([*COMMAND, "schema"], stdout=writing, env=environment()) as process:
        os.close(writing)
        while waiting[0] < PIPE_BYTES and process.poll() is None:
            time.sleep(0.01)
            fcntl.ioctl(reading, termios.FIONREAD, waiting)
        with open(reading) as stream:
            text = stream.read()
    assert process.returncode == ExitCode.OK
    assert len(text) > PIPE_BYTES
    json.loads(text)


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.EACCES, ExitCode.CHECKPOINT, "cannot read m/config.json: Permission denied"),
        (errno.ENAMETOOLONG, ExitCode.CHECKPOINT, "cannot read m/config.json: File name too long"),
        (errno.EIO, ExitCode.CHECKPOINT, "cannot read m/config.json"),
        (errno.ENOSPC, ExitCode.OUTPUT, "cannot write m/config.json: No space left on device"),
    ],
)
def test_an_error_of_the_system_is_one_of_reading(number: int, code: ExitCode, words: str) -> None:
    failure = _as_failure(OSError(number, os.strerror(number), "m/config.json"), ())
    assert failure.exit_code == code
    assert words in failure.message


STEP = [{"idx": 0, "name": "0", "path": "/".join(["n" * 200] * 25), "type": "sentence_transformers.models.Transformer"}]


def test_a_name_that_is_too_long_to_exist_is_no_failure_of_writing(tmp_path: Path) -> None:
    with_file("modules.json", json.dumps(STEP))(tmp_path)
    (tmp_path / "m" / "config.json").unlink()
    done = run(tmp_path, "check", "m")
    assert (done.returncode, "File name too long" in done.stdout) == (ExitCode.CHECKPOINT, True)
    assert "write" not in done.stdout + done.stderr


def test_a_working_directory_that_may_not_be_looked_into(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "bertshape.toml").write_text(f"model = {CONFIG['model_type']}")
    here.chmod(0)

    def go_there() -> None:
        os.chdir(here)
        permissions_count()

    try:
        done = run(tmp_path, "check", before=go_there)
    finally:
        here.chmod(0o700)
    assert (done.returncode, "cannot read bertshape.toml: Permission denied" in done.stderr) == (ExitCode.USAGE, True)
