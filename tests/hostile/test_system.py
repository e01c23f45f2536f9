"""Bad conditions around the process: closed streams, full disks, permissions, strange variables, two at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.hostile.model import CHECK, INSPECT, sound
from tests.hostile.process import COMMAND, closed, environment, permissions_count, run, small_files
from tests.support.command_line import SECONDS
from tests.support.loopback_hub import User, serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
COMMANDS = {
    "inspect": INSPECT,
    "inspect as json": (*INSPECT, "--json"),
    "inspect as html": (*INSPECT, "--format", "html"),
    "inspect a stream": ("inspect", "-i", "texts", "--format", "jsonl", *INSPECT[2:]),
    "check": CHECK,
    "check as junit": (*CHECK, "--format", "junit"),
    "snapshot": ("snapshot", "m"),
    "diff": ("diff", "m", "embedded:bert-tiny-uncased"),
    "profile": ("profile", "texts", "--model", "m"),
    "memory": ("memory", "m"),
    "families": ("families",),
    "poolings": ("poolings", "--json"),
    "doctor": ("doctor", "--offline", "--no-torch"),
    "help": ("--help",),
}
each_command = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a sound checkpoint and some texts."""
    sound(tmp_path)
    (tmp_path / "texts").write_text("a text\ntwo words\n")
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@each_command
def test_full_disk_under_stdout(here: Path, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = run(here, *arguments, stdout=full)
    assert (done.returncode, "No space left" in done.stderr) == (74, True), done.stderr
    assert len(done.stderr.splitlines()) == 2


@each_command
def test_closed_stdout(here: Path, arguments: tuple[str, ...]) -> None:
    """Nobody listens: the work is done, or the refusal said, and never a word of Python."""
    done = run(here, *arguments, before=closed(1))
    expected = 1 if arguments[0] == "diff" else 0
    assert (done.returncode, done.stderr) in ((expected, ""), (74, done.stderr))
    assert done.stderr == "" or done.stderr.startswith("bertshape: error: ")


@pytest.mark.parametrize("arguments", [CHECK, (*INSPECT, "--json"), ("check", "./nowhere"), ("inspect", "--nosuch")])
def test_closed_stderr(here: Path, arguments: tuple[str, ...]) -> None:
    """An exit code is an answer too."""
    listened = run(here, *arguments)
    assert run(here, *arguments, before=closed(2)).returncode == listened.returncode
    with open("/dev/full", "w") as full:
        assert run(here, *arguments, stderr=full).returncode == listened.returncode
    assert run(here, *arguments, before=closed(0, 1, 2)).returncode in (listened.returncode, 74)


def test_closed_stdin(here: Path) -> None:
    """As empty as /dev/null."""
    done = run(here, "inspect", "-i", "-", *INSPECT[2:], before=closed(0))
    assert (done.returncode, "stdin holds no text" in done.stderr) == (2, True), done.stderr
    assert run(here, "profile", "-", "--model", "m", before=closed(0)).returncode == 0


def test_reader_that_leaves(here: Path) -> None:
    """`| head -1` of a stream that is far from its end."""
    (here / "texts").write_text("a text\n" * 20_000)
    command = [*COMMAND, *COMMANDS["inspect a stream"]]
    with subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["ok"]
        process.stdout.close()
        assert (process.stderr.read(), process.wait(SECONDS)) == (b"", 0)


# --save of `inspect` and `embed` takes a run, and so some seconds.
WRITERS = {
    "snapshot": (("snapshot", "m", "-o", "out"), "out"),
    "snapshot over another": (("snapshot", "m", "-o", "texts", "--force"), "texts"),
    "inspect --save": (("inspect", "a text", "--model", "m", "--save", "out.safetensors"), "out.safetensors"),
    "embed": (("embed", "texts", "-o", "out.npz", "--model", "m"), "out.npz"),
}


@pytest.mark.parametrize(("arguments", "target"), WRITERS.values(), ids=WRITERS.keys())
def test_full_disk_under_a_file(here: Path, arguments: tuple[str, ...], target: str) -> None:
    """The file is there whole, as it was, or not at all; no part of it stays under another name."""
    before = {name: (here / name).read_bytes() for name in names(here) if (here / name).is_file()}
    if "embed" in arguments:
        (here / "texts").write_text("a text\n" * 500)
        before["texts"] = (here / "texts").read_bytes()
    done = run(here, *arguments, before=small_files)
    assert (done.returncode, "File too large" in done.stderr) == (74, True), done.stderr
    assert {name: (here / name).read_bytes() for name in names(here) if (here / name).is_file()} == before


LOCKED = {
    "folder": ("m", CHECK, 3, "m"),
    "config": ("m/config.json", CHECK, 3, "config.json: Permission denied"),
    "tokenizer": ("m/tokenizer.json", INSPECT, 3, "tokenizer.json"),
    "weights": ("m/model.safetensors", CHECK, 1, "Permission denied"),
    "texts": ("texts", ("inspect", "-i", "texts", *INSPECT[2:]), 2, "cannot read texts: Permission denied"),
    "contract": ("bertshape.toml", ("check",), 2, "Permission denied"),
}


@pytest.mark.parametrize(("name", "arguments", "code", "words"), LOCKED.values(), ids=LOCKED.keys())
def test_no_permission(here: Path, name: str, arguments: tuple[str, ...], code: int, words: str) -> None:
    (here / "bertshape.toml").write_text('[[checkpoint]]\nmodel = "./m"\n')
    mode = (here / name).stat().st_mode
    (here / name).chmod(0)
    try:
        done = run(here, *arguments, before=permissions_count)
    finally:
        (here / name).chmod(mode)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


def test_folder_that_cannot_be_written(here: Path) -> None:
    (here / "locked").mkdir(mode=0o500)
    done = run(here, "snapshot", "m", "-o", "locked/out", before=permissions_count)
    assert (done.returncode, "Permission denied" in done.stderr) == (74, True)
    assert names(here / "locked") == set()


VARIABLES: dict[str, dict[str, str | None]] = {
    "one column": {"COLUMNS": "1"},
    "no column": {"COLUMNS": "0"},
    "fewer than no columns": {"COLUMNS": "-7"},
    "columns that are no number": {"COLUMNS": "wide"},
    "columns in other digits": {"COLUMNS": "\N{SUPERSCRIPT TWO}"},
    "columns beyond all screens": {"COLUMNS": "99999999999"},
    "columns of 5,000 digits": {"COLUMNS": "9" * 5000},
    "no line": {"LINES": "0"},
    "unknown terminal": {"TERM": "nosuch"},
    "dumb terminal": {"TERM": "dumb", "COLUMNS": "20"},
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "plain locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "unknown locale": {"LC_ALL": "xx_YY.nosuch"},
    "no home": {"HOME": None, "HF_HOME": None},
    "home that is not there": {"HOME": "/nowhere", "HF_HOME": None},
    "no variables at all": dict.fromkeys(os.environ),
    "colour in every way": {"NO_COLOR": None, "FORCE_COLOR": "1", "COLORTERM": "truecolor"},
}


@pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES.keys())
@pytest.mark.parametrize("name", ["inspect", "inspect as html", "check"])
def test_strange_variables(here: Path, variables: dict[str, str | None], name: str) -> None:
    done = run(here, *COMMANDS[name], variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    # One column leaves one character per line.
    plain = "".join(re.sub(r"\x1b\[[\d;]*m", "", done.stdout).split()).lower()
    assert plain.startswith({"inspect": "mbert", "check": "checkpoint"}.get(name, "<!doctypehtml>")), plain


def test_summary_that_cannot_be_written(here: Path) -> None:
    """The annotations are out by then; the failure is said, and is none of the checkpoint."""
    done = run(here, *CHECK, "--format", "github", variables={"GITHUB_STEP_SUMMARY": "/nowhere/summary"})
    assert (done.returncode, "cannot write /nowhere/summary" in done.stderr) == (74, True)


def test_working_directory_that_is_gone(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    gone = tmp_path_factory.mktemp("gone")
    command = f'rmdir "{gone}"; exec "{sys.executable}" -m bertshape'
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for arguments in ("check", f'check "{here}/m"', 'inspect x --weights none --model "./m"'):
        gone.mkdir(exist_ok=True)
        done = subprocess.run(
            ["bash", "-c", f"{command} {arguments}"],
            cwd=gone,
            env=environment(**paths),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
        assert done.returncode == (0 if str(here) in arguments else 2 if arguments == "check" else 3), done.stderr


def alone(user: User) -> dict[str, str | None]:
    """The variables of a user, and none of these tests'."""
    return {**dict.fromkeys(os.environ), **user.environment()}


def test_two_at_once_on_a_cold_cache(here: Path) -> None:
    """Both are right, and the cache is whole afterwards."""
    with serve({"org/m": here / "m"}) as hub:
        user = User(here / "home", hub.endpoint)
        command = [*COMMAND, "inspect", "a text", "--model", "org/m", "--json"]
        both = [
            subprocess.Popen(command, env=user.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        outputs = [process.communicate(timeout=SECONDS) for process in both]
        assert [process.returncode for process in both] == [0, 0], outputs
        assert outputs[0] == outputs[1]
        assert not list(user.home.rglob("*.incomplete"))
    user.report("org/m", "--offline")


def test_cache_that_can_only_be_read(here: Path) -> None:
    with serve({"org/m": here / "m"}) as hub:
        user = User(here / "home", hub.endpoint)
        user.home.mkdir(mode=0o500)
        done = run(here, *INSPECT[:3], "org/m", before=permissions_count, variables=alone(user))
    assert (done.returncode, "cannot keep org/m in the cache" in done.stderr) == (4, True), done.stderr
    assert names(user.home) == set()


def test_disk_that_fills_while_weights_come(here: Path) -> None:
    """huggingface_hub's own unfinished files aside, nothing that looks like a weight file is in the cache."""
    with serve({"org/m": here / "m"}) as hub:
        user = User(here / "home", hub.endpoint)
        command = ("inspect", "a text", "--model", "org/m", "--json")
        done = run(here, *command, before=small_files, variables=alone(user))
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "hub-cache"
    assert not list(user.home.rglob("*.safetensors"))
