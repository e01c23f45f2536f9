"""The command line: options -> request -> report -> rendering -> exit code."""

from bertshape.cli.program import main

__all__ = ["main"]
