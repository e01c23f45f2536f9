"""`python -m tests.benchmarks` prints the table; with `--write` it goes into docs/performance.md.

`python -m tests.benchmarks texts` measures one suite alone.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import check, inspect, profile, texts, which

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.processes import Row

PAGE = Path(__file__).parent.parent.parent / "docs" / "performance.md"
_TABLE = re.compile(r"<!-- table -->.*<!-- end -->", flags=re.DOTALL)


_SUITES = {
    "inspect": inspect.rows,
    "check": check.rows,
    "texts": texts.rows,
    "profile": profile.rows,
    "which": which.rows,
}


def _chosen() -> Iterator[Iterator[Row]]:
    """Measurements named on the command line, or all of them."""
    named = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    for name in named or _SUITES:
        yield _SUITES[name]()


def main() -> None:
    """Measure, and print the table."""
    packages = ("torch", "transformers", "tokenizers", "typer", "rich")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [f"{datetime.now(UTC):%Y-%m-%d}; {machine}; {versions}.", ""]
    lines += ["| what | measured | at most | reached |", "|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    for rows in _chosen():
        for row in rows:
            lines.append(str(row))
            print(row, flush=True)  # At once: all of them take half an hour, and a person may stop before.
    table = "\n".join(lines)
    if "--write" in sys.argv[1:]:
        page = _TABLE.sub(lambda _: f"<!-- table -->\n{table}\n<!-- end -->", PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(page, encoding="utf-8")


main()
