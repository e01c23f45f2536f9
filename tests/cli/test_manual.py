"""The manual page: every command and option, from the options themselves, in roff that groff takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bertshape.cli.app import COMMANDS
from bertshape.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run


@pytest.fixture(scope="module")
def page(bertshape: Callable[..., Run]) -> str:
    done = bertshape("man")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_command_and_option_is_there(page: str, bertshape: Callable[..., Run]) -> None:
    sections = dict(zip(*[iter(re.split(r"^\.SS (\w+)$", page, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert tuple(sections) == COMMANDS
    for name, section in sections.items():
        options = set(
            re.findall(r"(?<![\w-])--[a-z][a-z-]+", bertshape(name, "--help").stdout.partition("Options:")[2])
        )
        assert options <= set(re.findall(r"--[a-z][a-z-]+", section.replace(r"\-", "-"))), name


def test_exit_codes_are_those_of_the_program(page: str) -> None:
    status = page.partition(".SH EXIT STATUS")[2].partition(".SH ENVIRONMENT")[0]
    assert [int(code) for code in re.findall(r"^\\fB(\d+)\\fR$", status, flags=re.MULTILINE)] == [*map(int, ExitCode)]


def test_no_line_is_a_request_by_accident(page: str) -> None:
    requests = {line.split(" ")[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".SS", ".TP", ".PP", ".B"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_sets_it_without_a_warning(page: str) -> None:
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "EXIT STATUS" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
