"""The command `bertshape`, which is also `python -m bertshape`."""

from __future__ import annotations

from typing import NoReturn

from bertshape.cli.signals import catch_signals


def main() -> NoReturn:
    """Entry point of the command."""
    catch_signals()
    # Typer and Rich take 0.2 s to import, in which a Ctrl-C would end in their tracebacks.
    from bertshape.cli.main import main as run_command

    run_command()


if __name__ == "__main__":
    main()
