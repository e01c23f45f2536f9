"""The screen of `inspect`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Command


@pytest.mark.parametrize(("tokens", "hidden"), [(31, 0), (40, 0), (41, 11), (100, 70)])
def test_a_token_table_folds_above_40_rows(run_cli: Command, tokens: int, hidden: int) -> None:
    """15 rows stay at each end; `--all-tokens` shows all."""
    command = ("inspect", "a " * (tokens - 2), "--weights", "none", "--pooling", "mean")
    folded, whole = run_cli(*command).stdout, run_cli(*command, "--all-tokens").stdout
    rows = re.compile(r"^ *(\d+)  (?:a|\[CLS\]|\[SEP\]) ", flags=re.MULTILINE)
    assert [int(position) for position in rows.findall(whole)] == list(range(tokens))
    shown = [*range(15), *range(tokens - 15, tokens)] if hidden else [*range(tokens)]
    assert [int(position) for position in rows.findall(folded)] == shown
    assert (f"{hidden} more" in folded) == bool(hidden)
