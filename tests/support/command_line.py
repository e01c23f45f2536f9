"""The command line, run inside the tests' own process or in one of its own; JSON that it prints follows its schema."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bertshape.cli.main import run
from tests.support.schema_check import check_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Run = subprocess.CompletedProcess[str]
SECONDS = 600
"""After this time a process counts as hanging. No test waits for it, however slow or busy the machine is."""


def call(
    *arguments: str, columns: int | None = 80, stdin: str | bytes = b"", cwd: Path | str = ".", **environment: Any
) -> Run:
    """Run a command line in this process: seconds faster than a process that imports torch anew.

    Args:
        arguments: The command line without the program's name.
        columns: Value of COLUMNS; None for none.
        stdin: What comes from stdin.
        cwd: Working directory.
        environment: Variables besides those of this process. `PYTHONIOENCODING` is the encoding of the output.

    Returns:
        Exit code and output, as of a process.
    """
    variables = _variables(columns, environment)
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin), encoding="utf-8")
    with (
        patch.dict(os.environ, variables, clear=True),
        patch.object(sys, "stdin", given),
        redirect_stdout(output),
        redirect_stderr(errors),
        _warnings_shown(),
        chdir(cwd),
    ):
        code = run(arguments)
    return _checked(arguments, code, *(stream.buffer.getvalue().decode(encoding) for stream in (output, errors)))


def call_process(
    *arguments: str, columns: int | None = 80, stdin: str | bytes = b"", cwd: Path | str = ".", **environment: Any
) -> Run:
    """Run a command line in a process of its own, where the process itself is tested; arguments as for `call`."""
    done = subprocess.run(
        [sys.executable, "-m", "bertshape", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env=_variables(columns, environment),
        cwd=cwd,
        check=False,
        timeout=SECONDS,
    )
    return _checked(arguments, done.returncode, done.stdout.decode(), done.stderr.decode())


def _variables(columns: int | None, environment: dict[str, str]) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"}
    return variables | ({} if columns is None else {"COLUMNS": str(columns)}) | environment


def _checked(arguments: tuple[str, ...], code: int, output: str, errors: str) -> Run:
    check_output(output, code)
    return Run(list(arguments), code, output, errors)


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """Warnings go to stderr by Python's own filters, where pytest would collect them."""

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))

    with warnings.catch_warnings():
        warnings.resetwarnings()
        for ignored in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", ignored)
        warnings.showwarning = show
        yield
