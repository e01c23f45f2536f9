"""`doctor`: every fact has a state and a meaning, nothing breaks it, and no token leaves with it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import sys
import tempfile
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants
from rich.console import Console

from bertshape.pipelines import doctor
from bertshape.pipelines.doctor import RUN_MISSING, STATES, Fact, diagnose, usable
from bertshape.render.doctor import render_diagnosis
from bertshape.run.imports import Part
from tests.support.imports import imported_by
from tests.support.loopback_hub import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Run

    Command = Callable[..., Run]

AREAS = ["versions", "devices", "cache folder", "Hub"]
QUICK = ("doctor", "--no-torch", "--offline")
Found = dict[tuple[str, str], Fact]
REQUIRES = {
    "bertshape": [
        "huggingface-hub<3,>=1.31",
        "numpy>=1.26.4",
        "tokenizers>=0.23.3",
        "typer<0.29,>=0.26",
        'torch>=2.6; extra == "torch"',
        'transformers<6,>=5.16; extra == "torch"',
        'rich>=99; python_version < "3"',
    ],
    "transformers": ["tokenizers<0.24.0,>=0.23.1", "safetensors>=0.8.0", 'torch>=99; extra == "all"'],
}
FITTING = {
    "bertshape": "0.1.0", "huggingface_hub": "2.4.0", "numpy": "2.4.0", "rich": "15.0", "safetensors": "0.8.0",
    "tokenizers": "0.23.3", "tomlkit": "0.15", "torch": "2.13.0+cpu", "transformers": "5.24.0", "typer": "0.28.0",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a cache and a token, and a Hub where nobody listens."""
    place = tmp_path / "home"
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", *doctor._CACHE_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(place / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(place / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    return place


def look(*, torch: bool = False, offline: bool = True, timeout: float = 5) -> Found:
    facts = list(diagnose(torch=torch, offline=offline, timeout=timeout))
    assert list(dict.fromkeys(fact.area for fact in facts)) == AREAS
    assert all(fact.state in STATES and fact.name and fact.value and fact.meaning for fact in facts)
    return {(fact.area, fact.name): fact for fact in facts}


def install(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Pretend that packages of these versions are here; None for one that is not."""
    installed = FITTING | versions

    def version(name: str) -> str:
        if installed.get(name) is None:
            raise metadata.PackageNotFoundError(name)
        return str(installed[name])

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", REQUIRES.get)
    monkeypatch.setattr(metadata, "metadata", lambda _: {"Requires-Python": ">=3.11"})


# The screen


def test_json_and_the_table_say_the_same(run_cli: Command) -> None:
    """At a width where nothing folds, each fact is a row: state, name, value, meaning."""
    document = json.loads(run_cli(*QUICK, "--json").stdout)
    rows = [" ".join(line.split()) for line in run_cli(*QUICK, "--all", columns=400).stdout.splitlines()]
    for fact in document["facts"]:
        assert set(fact) == {"area", "name", "value", "state", "meaning", "numbers"}
        if fact["name"] != "free space":  # it changes from one run to the next
            assert f"{fact['state']} {fact['name']} {fact['value']} {fact['meaning']}" in rows
    assert [row for row in rows if row in AREAS] == AREAS
    assert document["ok"] is True


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_the_first_screen_begins_with_the_verdict_and_the_problems(run_cli: Command, columns: int) -> None:
    done = run_cli("doctor", "--no-torch", columns=columns)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0] == "bertshape works here"
    assert lines[1].startswith("warning  Hub reachable: no")
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 40
    assert "doctor --all" in lines[-1]
    assert max(map(len, run_cli(*QUICK, "--all", columns=columns).stdout.splitlines())) <= columns


@pytest.mark.parametrize("count", [3, 30])
def test_many_problems_fit_on_one_screen(count: int) -> None:
    """Errors come before warnings, whatever their areas; what is left out is counted."""
    facts = [Fact("versions", "good", "1", "ok", "fine")]
    facts += [Fact("Hub", f"w{index}", "no", "warning", "word " * 30) for index in range(count)]
    facts += [Fact("devices", "torch", "cannot be imported", "error", "word " * 30)]
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(render_diagnosis(facts, 80, everything=False))
    lines = console.export_text().splitlines()
    assert lines[0] == "bertshape does not work here as it should"
    assert lines[1].startswith("error    devices torch: cannot be imported")
    assert len(lines) <= 40
    assert ("... and 23 more" in lines) is (count == 30)


def test_foreign_text_cannot_move_the_cursor(run_cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/tmp/[red]\x1b[31m")
    for more in ((), ("--all",)):
        done = run_cli(*QUICK, *more, columns=200)
        assert "\x1b" not in done.stdout
        assert r"/tmp/[red]\x1b[31m" in done.stdout


def test_nothing_heavy_is_imported_without_torch() -> None:
    assert imported_by(*QUICK) <= {"huggingface_hub"}


@pytest.mark.parametrize("timeout", ["0", "61", "soon", "nan"])
def test_timeouts_that_are_none_are_refused(run_cli: Command, timeout: str) -> None:
    done = run_cli(*QUICK, "--timeout", timeout)
    assert (done.returncode, "--timeout" in done.stderr) == (2, True)


# Versions


@pytest.mark.parametrize(
    ("name", "version", "says"),
    [
        ("transformers", "4.57.1", 'bertshape needs >=5.16,<6: pip install "transformers>=5.16,<6"'),
        ("typer", "0.29.0", 'bertshape needs >=0.26,<0.29: pip install "typer>=0.26,<0.29"'),
        ("torch", "2.5", 'bertshape needs >=2.6: pip install "torch>=2.6"'),
        # In bertshape's own range, yet transformers would refuse to be imported beside it.
        ("tokenizers", "0.22.2", 'bertshape needs >=0.23.3: pip install "tokenizers>=0.23.3,>=0.23.1,<0.24'),
        ("safetensors", "0.3.0", "transformers needs >=0.8.0: pip install"),
        ("huggingface_hub", "1.0", 'bertshape needs >=1.31,<3: pip install "huggingface-hub>=1.31,<3"'),
    ],
)
def test_versions_outside_the_ranges_fail(monkeypatch: pytest.MonkeyPatch, name: str, version: str, says: str) -> None:
    install(monkeypatch, **{name: version})
    facts = look()
    fact = facts["versions", name]
    assert (fact.state, fact.value) == ("error", version)
    assert fact.meaning.startswith(says)
    assert {fact.state for key, fact in facts.items() if key[0] == "versions" and key[1] != name} == {"ok"}
    assert not usable(facts.values())


def test_versions_inside_the_ranges_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local builds and release candidates of what comes next are inside too."""
    install(monkeypatch, torch="99.1.0rc1+cu999")
    facts = look()
    assert (facts["versions", "torch"].value, facts["versions", "torch"].state) == ("99.1.0rc1+cu999", "ok")
    assert facts["versions", "tokenizers"].meaning == "bertshape needs >=0.23.3, transformers needs >=0.23.1,<0.24.0"
    assert facts["versions", "rich"].meaning == "No range is known", "a marker that does not hold asks for nothing"


def test_without_torch_it_is_content(monkeypatch: pytest.MonkeyPatch, run_cli: Command) -> None:
    """What predicts and checks needs no torch; what runs says how to get it."""
    install(monkeypatch, torch=None, transformers=None, safetensors=None)
    facts = look(torch=True)
    for name in ("torch", "transformers", "safetensors"):
        assert (facts["versions", name].state, facts["versions", name].value) == ("note", "not installed")
    assert facts["devices", "torch"].meaning == f"Nothing runs: {RUN_MISSING}"
    assert usable(facts.values())
    done = run_cli("doctor", "--offline", columns=120)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"bertshape works here: {RUN_MISSING}")
    assert 'pip install "bertshape[torch]"' in RUN_MISSING


def test_what_is_needed_and_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch, run_cli: Command) -> None:
    install(monkeypatch, tokenizers=None)
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.18")
    facts = look()
    assert (facts["versions", "tokenizers"].value, facts["versions", "tokenizers"].state) == ("not installed", "error")
    assert 'pip install "tokenizers>=' in facts["versions", "tokenizers"].meaning
    assert facts["versions", "Python"].state == "error"
    assert "bertshape needs >=3.11" in facts["versions", "Python"].meaning
    assert run_cli(*QUICK).returncode == 1
    assert json.loads(run_cli(*QUICK, "--json").stdout)["ok"] is False


def test_a_checkout_that_is_not_installed_has_no_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, bertshape=None)
    fact = look()["versions", "bertshape"]
    assert (fact.state, "install bertshape with pip" in fact.meaning) == ("warning", True)


# Devices


def test_a_broken_torch_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "ImportError: libtorch_made_up.so: cannot open shared object file"
    monkeypatch.setattr("bertshape.pipelines.doctor.try_imports", lambda: iter([Part("torch", "Runs", 0.1, problem)]))
    facts = look(torch=True)
    assert facts["devices", "torch"].state == "error"
    assert facts["devices", "torch"].meaning == f"Only --weights none works: {problem}"


@pytest.mark.parametrize("name", ["torch", "transformers"])
def test_a_package_that_is_really_broken_is_a_line(tmp_path: Path, name: str) -> None:
    """Transformers itself imports nothing: what is broken in it shows in its parts alone."""
    (tmp_path / name).mkdir()
    code = "raise OSError('libtorch_made_up.so is gone')" if name == "torch" else ""
    (tmp_path / name / "__init__.py").write_text(code)
    user = User(tmp_path / "home", "http://127.0.0.1:9")
    done = user.process("doctor", "--offline", "--json", PYTHONPATH=os.pathsep.join((str(tmp_path), *sys.path)))
    facts = {(fact["area"], fact["name"]): fact for fact in json.loads(done.stdout)["facts"]}
    assert (done.returncode, done.stderr) == (1, "")
    assert facts["devices", name]["state"] == "error"
    assert "--weights none" in facts["devices", name]["meaning"]
    assert ("Hub", "reachable") in facts


def test_the_devices_are_tried() -> None:
    facts = look(torch=True)
    import torch

    assert facts["devices", "torch"].value.startswith("imported in")
    assert facts["devices", "transformers"].state == "ok"
    chosen = facts["devices", "--device auto"].value
    assert chosen.partition(":")[0] == (
        "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    )
    accelerators = [name for area, name in facts if area == "devices" and name.startswith(("cuda", "mps"))]
    assert len(accelerators) == max(1, torch.cuda.device_count()) + 1


@pytest.mark.cuda
def test_a_real_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    fact = look(torch=True)["devices", "cuda:0"]
    assert fact.state == "ok"
    assert 0 < fact.numbers["free_bytes"] <= fact.numbers["total_bytes"]
    assert torch.cuda.get_device_name(0) in fact.value


# The cache folder


def make_cache(home: Path) -> Path:
    """Two models and a data set; 3,500 bytes in four blobs, each linked to by name."""
    hub = home / "hub"
    for repository, sizes in (("models--a--b", (1000, 500)), ("models--c", (1500,)), ("datasets--d", (500,))):
        blobs, names = hub / repository / "blobs", hub / repository / "snapshots" / "0123"
        blobs.mkdir(parents=True)
        names.mkdir(parents=True)
        for number, size in enumerate(sizes):
            (blobs / str(number)).write_bytes(b"x" * size)
            (names / f"file{number}").symlink_to(blobs / str(number))
    os.link(hub / "models--c" / "blobs" / "0", hub / "models--c" / "again")
    (hub / "models--loop").symlink_to(hub)
    return hub


def test_the_cache_is_measured_without_its_links(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Symbolic links lead to blobs that are there already, hard links are the same file, and a loop ends."""
    hub = make_cache(home)
    monkeypatch.setenv("HF_HOME", str(home))
    facts = look()
    assert (facts["cache folder", "path"].value, facts["cache folder", "path"].state) == (str(hub), "ok")
    assert "by HF_HOME" in facts["cache folder", "path"].meaning
    numbers = {"bytes": 3500, "files": 4, "models": 2, "unreadable": 0}
    assert facts["cache folder", "content"].numbers == numbers
    assert facts["cache folder", "free space"].numbers["free_bytes"] > 0


@contextmanager
def nobody() -> Iterator[Path]:
    """An empty folder, and a user without special rights where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    root = os.geteuid() == 0
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)


def lose_rights() -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of POSIX")
@pytest.mark.parametrize(("locked", "name"), [("hub/models--a--b", "content"), ("hub", "path"), ("", "path")])
def test_a_cache_without_rights_is_a_warning(monkeypatch: pytest.MonkeyPatch, locked: str, name: str) -> None:
    """What cannot be read is counted, what cannot be written is said; none of it stops anything."""
    with nobody() as home:
        hub = make_cache(home) if locked else home / "hub"
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
        (home / locked).chmod(0o555 if name == "path" else 0)
        lose_rights()
        facts = {fact.name: fact for fact in doctor._cache_facts()}
    assert facts[name].state == "warning"
    if name == "content":
        assert facts[name].numbers == {"bytes": 2000, "files": 2, "models": 2, "unreadable": 1}
    else:
        assert "nothing new can be fetched" in facts[name].meaning


def test_a_cache_that_is_not_there_or_no_folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = look()["cache folder", "path"]
    assert (missing.state, "the first download makes it" in missing.meaning) == ("ok", True)
    assert not home.exists(), "looking must not make it"
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / place))
        fact = look()["cache folder", "path"]
        assert (fact.state, "is not a folder" in fact.meaning) == ("warning", True)
