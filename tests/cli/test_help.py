"""The help: groups, panels, examples that work, nothing cropped at 80 columns."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from bertshape.cli.app import command_function
from bertshape.cli.commands import COMMANDS, PANEL_OF, PANEL_ORDER
from bertshape.report.documents import DOCUMENTS

if TYPE_CHECKING:
    from tests.conftest import Command

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str, run_cli: Command) -> None:
    done = run_cli(name, "--help")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    # N, NAME, FILE: no `<str>`, no `[x>=1]`, no braces around what must be there.
    assert re.findall(r"<[a-z ]+>|\[x[<>=].*?\]|\{[A-Z]+\}|\[default: \(", done.stdout) == []
    assert "…" not in done.stdout
    for line, _ in COMMANDS[name].examples:
        assert line in done.stdout
    assert "Learn more" in done.stdout
    assert run_cli("help", name).stdout == done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_in_the_navigation(name: str) -> None:
    page = DOCS / f"{COMMANDS[name].page}.md"
    assert f"bertshape {name}" in page.read_text(encoding="utf-8")
    entry = re.search(rf"^ +- (.*): {page.name}$", (DOCS.parent / ".mkdocs.yml").read_text(encoding="utf-8"), re.M)
    assert entry is not None
    assert name in entry[1].split(", ")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_panel_stands_once_and_in_one_order(name: str, run_cli: Command) -> None:
    """What must be given first, `--help` last."""
    panels = re.findall(r"^╭─ (\w+) ─", run_cli(name, "--help").stdout, re.M)
    assert panels == [panel for panel in PANEL_ORDER if panel in panels]
    assert panels[-1] == "Output"


def test_every_document_is_named(run_cli: Command) -> None:
    done = " ".join(run_cli("schema", "--help").stdout.split())
    assert [
        name for name in DOCUMENTS if f"{name}," not in done and f"{name} " not in done and f"{name}." not in done
    ] == []


@pytest.mark.parametrize(
    "name", ["inspect", "diff", "check", "embed", "memory", "which", "profile", "families", "poolings", "doctor"]
)
def test_what_prints_a_report_has_a_format(name: str, run_cli: Command) -> None:
    done = run_cli(name, "--help").stdout
    assert all(f"--{option} " in done for option in ("json", "format", "output"))


def test_every_option_has_a_panel() -> None:
    for name in COMMANDS:
        app = typer.Typer()
        app.command()(command_function(name))
        for parameter in typer.main.get_command(app).params:
            assert parameter.name in PANEL_OF or "completion" in str(parameter.name), (name, parameter.name)


def test_the_list_of_commands(run_cli: Command) -> None:
    done = run_cli("--help")
    assert [group for group in ("Look", "Guard", "Many texts", "Reference") if f" {group} " in done.stdout] == [
        "Look",
        "Guard",
        "Many texts",
        "Reference",
    ]
    assert all(f"│ {name}" in done.stdout for name in COMMANDS)
    assert run_cli().stdout == run_cli("help").stdout == done.stdout


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str, run_cli: Command) -> None:
    assert run_cli(option).stdout.startswith("bertshape ")


def test_examples_are_command_lines() -> None:
    """Each begins with its own command; `tests/project/test_docs.py` runs those of the pages."""
    for name, about in COMMANDS.items():
        for line, _ in about.examples:
            assert shlex.split(line)[:2] == ["bertshape", name]
