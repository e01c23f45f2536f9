"""Which heavy packages a command line imports, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.support.command_line import SECONDS

# Only for a run, for the Hub, for the values of weights, for Parquet files, or for the JSON Schema.
HEAVY = frozenset({"torch", "transformers", "numpy", "safetensors", "huggingface_hub", "scipy", "pyarrow", "msgspec"})


def imported_by(*arguments: str) -> frozenset[str]:
    """Heavy packages that a command line has imported when it ends."""
    return imported_by_code("from bertshape.cli.main import run\nassert run(sys.argv[1:]) == 0", *arguments)


def imported_by_code(code: str, *arguments: str) -> frozenset[str]:
    """Heavy packages that Python has imported when some code ends."""
    code += f"\nprint('HEAVY', *sorted({set(HEAVY)} & set(sys.modules)), file=sys.stderr)"
    command = [sys.executable, "-c", f"import sys\n{code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return frozenset(done.stderr.splitlines()[-1].split()[1:])
