"""What the formats of CI systems share: paths as a repository has them, and a name for each problem."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from bertshape.render.escape import visible

if TYPE_CHECKING:
    from bertshape.report.check import CheckReport, Problem
    from bertshape.report.place import Place


def path_below(path: str, root: str) -> str:
    """A path as seen from the root of a repository, with slashes; one that lies elsewhere stays as it is."""
    for resolve in (os.path.abspath, os.path.realpath):
        whole, base = resolve(path), resolve(root)
        if whole == base or whole.startswith(base.rstrip(os.sep) + os.sep):
            return os.path.relpath(whole, base).replace(os.sep, "/")
    return path.replace(os.sep, "/")


def name_below(name: str, root: str) -> str:
    """The name of a checkpoint; that of a folder as a relative path, wherever CI has put the repository."""
    return visible(path_below(name, root)) if os.path.isabs(name) else visible(name)


def place_text(place: Place, root: str) -> str:
    """A place in one word: `bertshape.toml:3`."""
    return f"{visible(path_below(place.file, root))}:{place.line}"


def text_of(problem: Problem) -> str:
    """The problem and what to do next, in one line."""
    end = "" if not problem.hint or problem.message.endswith((".", "?", "!")) else "."
    return visible(f"{problem.message}{end} {problem.hint}".strip())


def fingerprint(report: CheckReport, problem: Problem, root: str) -> str:
    """The same for the same problem from run to run, whatever else of the file has changed."""
    parts = (name_below(report.name, root), problem.code, problem.expectation, problem.message)
    return hashlib.sha256("\0".join(parts).encode(errors="backslashreplace")).hexdigest()[:32]
