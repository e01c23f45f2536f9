"""What is shipped: built, listed, installed from the wheel into an empty place, and run from there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import bertshape
from tests.support.command_line import SECONDS
from tests.tools.pages import make_place

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "bertshape"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True, timeout=SECONDS
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_the_package_and_no_more(wheel: Path) -> None:
    """Every file that the package has here, data included; no test, no page, no cache."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    inside = {name for name in names if name.startswith("bertshape/")}
    here = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == here
    for needed in (
        "bertshape/py.typed",
        "bertshape/checkpoint/embedded/bert-base-uncased/tokenizer.json",
        "bertshape/checkpoint/embedded/bert-large-uncased/config.json",
        "bertshape/checkpoint/embedded/NOTICE",
        "bertshape/predict/families/bert.toml",
        "bertshape/predict/head_parts.toml",
        "bertshape/predict/heads.toml",
    ):
        assert needed in inside
    about = names - inside
    assert all(re.match(r"bertshape-[^/]+\.dist-info/", name) for name in about)
    assert {name.rsplit("/", 1)[1] for name in about} == {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "LICENSE",
        "NOTICE",
    }


def test_the_sdist_builds_the_same_wheel(built: Path, wheel: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert (source / "tests" / "conftest.py").exists()
    assert (source / "docs" / "concepts.md").exists()
    out = tmp_path / "again"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, timeout=SECONDS)
    (again,) = out.glob("*.whl")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert {info.filename: info.CRC for info in one.infolist()} == {
            info.filename: info.CRC for info in other.infolist()
        }


def test_the_metadata_is_whole(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        about = Parser().parsestr(archive.read(name).decode())
    assert (about["Name"], about["Version"]) == ("bertshape", bertshape.__version__)
    assert about["License-Expression"] == "Apache-2.0"
    requirements = [Requirement(line) for line in about.get_all("Requires-Dist") or ()]
    direct = [requirement for requirement in requirements if requirement.marker is None]
    assert {requirement.name for requirement in direct} == {
        *("huggingface-hub", "jinja2", "msgspec", "numpy", "packaging", "rich", "tokenizers", "tomlkit", "typer"),
    }
    assert all(requirement.specifier for requirement in direct), "every dependency has a lower bound"
    assert not [requirement for requirement in requirements if requirement.url]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone in an empty folder, as pip puts it there; no network is asked."""
    target = tmp_path_factory.mktemp("installed")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(command, check=True, timeout=SECONDS)
    return target


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """Run the installed package in a folder that is no checkout; fails if another one is imported."""
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import bertshape, pathlib;"
        "assert pathlib.Path(bertshape.__file__).is_relative_to(sys.path[0]), bertshape.__file__;"
        "from bertshape.__main__ import main; main()"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"COLUMNS": "80"}
    command = [sys.executable, "-P", "-c", code, str(installed), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_wheel_runs_the_first_example(installed: Path, tmp_path: Path) -> None:
    """The README's, word for word, its output too."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    match = re.search(r"```console\n\$ bertshape (?P<command>[^\n]+)\n(?P<output>.*?)```", readme, flags=re.DOTALL)
    assert match is not None
    assert run(installed, make_place(tmp_path), *shlex.split(match["command"])) == match["output"]
    assert run(installed, tmp_path, "--version") == f"bertshape {bertshape.__version__}\n"
    assert "modernbert" in run(installed, tmp_path, "families")


def test_dependencies_agree_with_each_other() -> None:
    """`pip check`, for our own requirements: other packages of an environment are not our affair."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert not [line for line in done.stdout.splitlines() if line.lower().startswith("bertshape ")]


def test_the_page_of_dependencies_is_true() -> None:
    """Names and ranges as pyproject.toml has them; licences as the installed packages declare them."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([<>=0-9.,]+) \| [^|]+ \| ([^|]+) \|$", page, flags=re.MULTILINE)
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    declared = [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["torch"]]
    assert {name: set(given.split(",")) for name, given, _ in rows} == {
        requirement.name: {str(bound) for bound in requirement.specifier} for requirement in declared
    }
    for name, _, licence in rows:
        about = metadata(name)
        said = " ".join(
            [about["License-Expression"] or "", about["License"] or "", *(about.get_all("Classifier") or ())]
        )
        assert licence.split("-")[0] in said, f"{name}: {licence}, and not {said[:100]}"


def test_the_lowest_versions_that_ci_tries_are_those_of_the_ranges() -> None:
    """All but torch, whose old wheels for a CPU alone are not on package registries."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    declared = [Requirement(line) for line in project["dependencies"] + extras["torch"] + extras["parquet"]]
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tried = {name: Version(version) for name, version in (line.split("==") for line in lines if line[0] != "#")}
    lowest = {
        requirement.name: Version(bound.version)
        for requirement in declared
        for bound in requirement.specifier
        if bound.operator == ">=" and requirement.name != "torch"
    }
    assert tried == lowest
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \| [0-9.]+ \|$", page, flags=re.MULTILINE))
    assert {name: Version(version) for name, version in rows.items() if name != "torch"} | {
        "pyarrow": lowest["pyarrow"]
    } == lowest
