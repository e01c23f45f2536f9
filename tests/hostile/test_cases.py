"""Every row of the corpus: the exit code and the words expected, and none of what no output may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile import configs, folders
from tests.hostile.case import Case, hold

if TYPE_CHECKING:
    from pathlib import Path

CASES: tuple[Case, ...] = tuple(case for table in (folders, configs) for case in table.CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hold(case, tmp_path, monkeypatch, capfd)


def test_the_corpus_is_large_and_its_rows_differ() -> None:
    print(f"{len(CASES)} bad inputs")
    assert len({case.id for case in CASES}) == len(CASES) >= 150
