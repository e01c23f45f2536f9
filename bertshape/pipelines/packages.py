"""The packages that a run needs, looked for and not imported."""

from __future__ import annotations

from importlib.util import find_spec

from bertshape.errors import UsageError

NEEDED = ("torch", "transformers")
INSTALL = 'Install them: pip install "bertshape[torch]".'


def missing_packages() -> tuple[str, ...]:
    """Which of the packages that a run needs are not installed."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


def check_packages(what: str) -> None:
    """Refuse what needs a run where nothing can run.

    Args:
        what: What needs it, such as `embed`.

    Raises:
        UsageError: torch or transformers is not installed.
    """
    missing = missing_packages()
    if missing:
        names, verb = " and ".join(missing), "is" if len(missing) == 1 else "are"
        message = f"{what} runs the model, and {names} {verb} not installed"
        raise UsageError(message, hint=INSTALL, code="torch-missing")
