"""Every row of the corpus: the exit code and the words expected, and none of what no output may have."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from tests.hostile import configs, contracts, folders, options, sentence, texts, tokenizers, vectors, weights
from tests.hostile.case import Case, hold
from tests.hostile.weights import PICKLE, RAN

if TYPE_CHECKING:
    from pathlib import Path

CASES: tuple[Case, ...] = tuple(
    case
    for table in (folders, configs, weights, tokenizers, sentence, texts, options, contracts, vectors)
    for case in table.CASES
)


def _row(case: Case) -> object:
    marks = [pytest.mark.xfail(reason=case.awaits, strict=True)] if case.awaits else []
    return pytest.param(case, id=case.id, marks=marks)


@pytest.mark.parametrize("case", [_row(case) for case in CASES])
def test_bad_input(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hold(case, tmp_path, monkeypatch, capfd)


def test_the_pickle_of_the_corpus_runs_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its rows would prove nothing: its file would be among those left behind."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(PICKLE)
    assert [path.name for path in tmp_path.iterdir()] == [RAN]


def test_the_corpus_is_large_and_its_rows_differ(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        print(f" {len(CASES)} bad inputs ", end="")
    assert len({case.id for case in CASES}) == len(CASES) >= 150
