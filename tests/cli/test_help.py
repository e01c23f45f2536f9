"""The help: groups, panels, examples that work, nothing cropped at 80 columns."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
import typer

from bertshape.cli.app import command_function
from bertshape.cli.commands import COMMANDS, PANEL_OF

if TYPE_CHECKING:
    from tests.conftest import Command


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
