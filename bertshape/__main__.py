"""The command `bertshape`, which is also `python -m bertshape`."""

from __future__ import annotations

import gc

TYPE_CHECKING = False  # As in `cli.signals`: a Ctrl-C before its handler is there would end in a traceback.
try:
    from bertshape.cli.signals import catch_signals
except KeyboardInterrupt:
    raise SystemExit(130) from None

if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Entry point of the command."""
    catch_signals()
    # A command makes objects that stay until it ends, most of them by importing; nothing it makes in number is cyclic.
    gc.disable()
    # Typer and Rich take 0.2 s to import, in which a Ctrl-C would end in their tracebacks.
    from bertshape.cli.main import main as run_command

    run_command()


if __name__ == "__main__":
    main()
