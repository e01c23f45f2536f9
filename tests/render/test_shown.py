"""Results of the Python API in a program: one line as `repr`, the screen of their command for Rich."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bertshape import check_checkpoint, diff_checkpoints, inspect_texts, profile_files
from bertshape.report.embed import EmbedReport
from bertshape.report.shown import Shown
from tests.support.command_line import call

TINY, MINI = "embedded:bert-tiny-uncased", "embedded:bert-mini-uncased"


def _screen(result: object, columns: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=columns, color_system=None).print(result)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    texts = tmp_path_factory.mktemp("texts") / "texts.txt"
    texts.write_text("one text\nanother one\n")
    return {
        "inspect": inspect_texts("A text.", model=TINY, weights="none"),
        "check": check_checkpoint(TINY, "hidden_size=1"),
        "diff": diff_checkpoints(TINY, MINI),
        "profile": profile_files(texts, model=TINY),
        "embed": EmbedReport("m\x1b[31m", "checkpoint", "v.npz", written=True, texts=2),
    }


def test_repr_is_one_short_line(results: dict[str, Shown]) -> None:
    for result in results.values():
        line = repr(result)
        assert line.startswith(f"<{type(result).__name__} '")
        assert len(line) < 140
        assert line.isprintable()
    assert "[1, 5] tokens, predicted, 0 errors" in repr(results["inspect"])
    assert "failed>" in repr(results["check"])
    assert "tensors differ>" in repr(results["diff"])
    assert "2 texts in 1 file>" in repr(results["profile"])


def test_rich_shows_the_screen_of_the_command(results: dict[str, Shown]) -> None:
    diff = call("diff", TINY, MINI, columns=80).stdout
    assert _screen(results["diff"]) == diff
    for columns in (80, 120):
        checked = call("check", TINY, "-e", "hidden_size=1", columns=columns).stdout
        assert _screen(results["check"], columns) == checked
        assert max(map(len, _screen(results["inspect"], columns).splitlines())) <= columns
    assert "last_hidden_state" in _screen(results["inspect"])
    assert "Tokens per text" in _screen(results["profile"])
    assert "\x1b" not in _screen(results["embed"])


def test_what_was_written_is_a_table_in_a_notebook(results: dict[str, Shown]) -> None:
    shown = results["embed"]._repr_html_()
    assert shown is not None
    assert shown.startswith("<table>")
    assert "\x1b" not in shown


def test_results_are_still_values(results: dict[str, Shown]) -> None:
    embedded = results["embed"]
    assert isinstance(embedded, EmbedReport)
    assert replace(embedded) == embedded


def test_without_the_api_nothing_is_drawn(results: dict[str, Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shown, "as_rich", None)
    assert _screen(results["embed"], 200).startswith("<EmbedReport")
