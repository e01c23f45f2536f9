"""Files to write, checked before the work that they are for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bertshape.checkpoint.own_files import is_of_checkpoint
from bertshape.errors import UsageError
from bertshape.files import is_replaced

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def check_output(path: Path, what: str) -> None:
    """Say before the work what would keep its result from being written.

    Args:
        path: The file to write.
        what: What goes into it, for the message.

    Raises:
        UsageError: It is a folder, its folder does not exist, or it is no path.
    """
    if "\0" in str(path):
        hint = "Pass the path of a file."
        raise UsageError(f"{what} cannot be written to a path with a NUL byte", hint=hint, code="save-path")
    # Not Path.is_dir: what may not be looked at is for the writing to report.
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        problem = "is a folder" if os.path.isdir(path) else "is in a folder that does not exist"
        hint = "Pass the path of a file."
        raise UsageError(f"{what} cannot be written to {path}: it {problem}", hint=hint, code="save-path")
    if is_of_checkpoint(path):
        hint = "Write to another file."
        raise UsageError(f"{path} is a file of a checkpoint, which {what} would replace", hint=hint, code="save-path")
    if path.suffix == ".toml" and is_replaced(path):
        hint = "Write to another file; bertshape snapshot writes contracts."
        raise UsageError(f"{path} is a file of settings, which {what} would replace", hint=hint, code="save-path")


def check_inputs_stay(path: Path | None, files: Iterable[str]) -> None:
    """Refuse to replace a file that is read by what is said of it.

    Args:
        path: The file to write; None for stdout.
        files: Names of the files that are read.

    Raises:
        UsageError: It is one of them.
    """
    for file in files:
        if path is not None and is_replaced(path) and os.path.isfile(file) and path.samefile(file):
            hint = "Write to another file."
            message = f"{path} is read by this command, and would be replaced by what it writes"
            raise UsageError(message, hint=hint, code="save-path")
