"""Run the command line as a process under bad conditions: closed streams, full disks, no permissions, signals."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

COMMAND = (sys.executable, "-m", "bertshape")
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_FILE_BYTES = 2_000


def environment(**variables: str | None) -> dict[str, str]:
    """The variables of a command; None leaves one out."""
    # No compiled modules from here: a process that may write little, or is killed, would leave them cut short, and
    # Python 3.11 puts them in their place all the same.
    ours = {"NO_COLOR": "1", "COLUMNS": None, "PYTHONDONTWRITEBYTECODE": "1"}
    changed: Mapping[str, str | None] = {**os.environ, **ours, **variables}
    return {name: value for name, value in changed.items() if value is not None}


def run(
    here: Path, *arguments: str, before: Callable[[], object] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run `bertshape` in a folder, and check what must be true of every run.

    Args:
        here: Working directory.
        arguments: The command line.
        before: Called in the new process before the command begins.
        options: Of `subprocess.run`; `variables` for the environment.
    """
    variables = options.pop("variables", {})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    if "input" in options:
        del streams["stdin"]
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=here,
        env=environment(**variables),
        preexec_fn=before,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
        **{**streams, **options},
    )
    said = (done.stdout or "") + (done.stderr or "")
    assert "Traceback" not in said, said
    assert "internal error" not in said, said
    return done


def small_files() -> None:
    """No file may grow beyond a bound: what a full disk does, in any folder and without privileges."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))


def permissions_count() -> None:
    """Make the permissions of files count for root too; the next program that is started cannot undo it."""
    if os.geteuid() == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if ctypes.CDLL(None, use_errno=True).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
                os._exit(99)


def closed(*descriptors: int) -> Callable[[], None]:
    """What `>&-` of a shell does."""

    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close
