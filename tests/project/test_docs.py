"""Every console block of README and docs is run and compared; every python block is executed.

`python -m tests.tools.pages [PAGE...]` writes the real output.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest

from bertshape import __version__
from bertshape.cli.commands import COMMANDS
from tests.tools.pages import CONSOLE, PAGES, ROOT, make_place, show

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
_PYTHON = re.compile(r"```python\n(?P<code>.*?)```", flags=re.DOTALL)


def blocks(pattern: re.Pattern[str]) -> list[tuple[str, re.Match[str]]]:
    return [
        (page.relative_to(ROOT).as_posix(), match)
        for page in PAGES
        for match in pattern.finditer(page.read_text(encoding="utf-8"))
    ]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_place(tmp_path)


@pytest.mark.parametrize(("page", "block"), blocks(CONSOLE), ids=lambda value: value if isinstance(value, str) else "")
def test_console_blocks_show_what_the_command_prints(page: str, block: re.Match[str], place: Path) -> None:
    if "| jq " in block["command"] and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    assert show(block["command"], place) == block["output"]


@pytest.mark.parametrize(("page", "block"), blocks(_PYTHON), ids=lambda value: value if isinstance(value, str) else "")
def test_python_blocks_run(page: str, block: re.Match[str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    exec(compile(block["code"], page, "exec", dont_inherit=True), {"__name__": "__main__"})


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


def test_commands_page_has_a_section_for_each_command() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert set(COMMANDS) <= set(re.findall(r"^## (\w+)$", text, flags=re.MULTILINE))


def test_installation_names_extras_that_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for page in PAGES:
        for names in re.findall(r"(?:\.|bertshape)\[([\w,]+)\]", page.read_text(encoding="utf-8")):
            assert set(names.split(",")) <= set(extras), page


def test_changelog_has_the_version_of_the_package() -> None:
    assert f"\n## {__version__}\n" in (DOCS / "changelog.md").read_text(encoding="utf-8")


def test_architecture_names_every_room_and_files_that_exist() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "bertshape").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` \|", text, flags=re.MULTILINE)) == rooms
    files = re.findall(r"^\| [^|]+ \| `(bertshape/[^`]+)` \|$", text, flags=re.MULTILINE)
    assert len(set(files)) == len(files) >= 20
    for file in files:
        assert (ROOT / file).is_file(), file


def test_paths_and_tools_of_the_project_exist() -> None:
    """Pages and comments name files and tools of this repository; a moved one would mislead."""
    named = {
        name
        for source in [*PAGES, ROOT / ".mkdocs.yml", *(ROOT / "bertshape").rglob("*.toml")]
        for name in re.findall(r"\b(?:bertshape|tests)/[\w/-]+\.(?:py|toml)\b", source.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert [name for name in sorted(named) if "MODEL_TYPE" not in name and not (ROOT / name).exists()] == []
    tools = {
        name for page in PAGES for name in re.findall(r"python -m (tests[\w.]*)", page.read_text(encoding="utf-8"))
    }
    assert [name for name in sorted(tools) if importlib.util.find_spec(name) is None] == []
