"""`profile`: files, stdin and texts from Python, what is said of them, and what is said where they hold no texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bertshape import profile_files, profile_texts
from bertshape.errors import UsageError
from bertshape.report.profile import merge_profiles
from bertshape.report.profile_document import profile_to_json
from bertshape.report.read_profile import profile_from_json
from tests.support.command_line import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run


def test_lone_surrogates_are_named(minilm: Path) -> None:
    with pytest.raises(UsageError, match="texts, text 2 has a"):
        profile_texts(["a", "b\udcff"], model=str(minilm))


def test_empty_lines_and_long_ones_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n" + "word " * 200_000 + "\n\nlast without an end")
    assert profile_files([str(path)]).counts.lengths == {2: 2, 6: 1, 200_002: 1}


@pytest.mark.parametrize("value", [None, 3, b"a", ("a",), ("a", None), ["a", "b"]])
def test_what_is_no_text_is_named(value: object) -> None:
    """An engine hands over what its column holds, nulls included."""
    with pytest.raises(UsageError, match="rows, text 2 is neither"):
        profile_texts(["a", value], name="rows")  # type: ignore[list-item]


def test_stdin_is_read_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        profile_files(["-", "-"])


def test_names_that_are_not_utf8_survive_json(tmp_path: Path) -> None:
    """A path may hold any bytes, and JSON no half surrogates; what is written can be merged."""
    path = tmp_path / "a\udcff.txt"
    path.write_text("one\n")
    profile = profile_files([str(path)])
    assert profile.files[0][0].endswith("a\\udcff.txt")
    assert profile_from_json(profile_to_json(profile)) == merge_profiles([profile])


@pytest.mark.parametrize("form", [["--json"], ["--format", "markdown"], []], ids=str)
def test_a_bad_line_leaves_no_half_report(form: list[str], bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """The first file is fine; stdout has nothing of it, but for the envelope of the error."""
    (tmp_path / "good.txt").write_text("fine\n")
    (tmp_path / "bad.txt").write_bytes(b"fine\nb\xe4d\n")
    done = bertshape("profile", str(tmp_path / "good.txt"), str(tmp_path / "bad.txt"), *form)
    assert done.returncode == 2
    said = done.stdout if form == ["--json"] else done.stderr
    assert "bad.txt, line 2 is not UTF-8" in said
    assert (json.loads(done.stdout)["ok"] is False) if form == ["--json"] else (done.stdout == "")


def test_stdin_is_a_file(minilm: Path) -> None:
    done = call("profile", "-", "--model", str(minilm), "--json", stdin="one\ntwo words\n")
    document = json.loads(done.stdout)
    assert document["profile"]["files"] == [{"name": "stdin", "texts": 2}]
    assert document["profile"]["counts"]["lengths"] == [{"length": 3, "texts": 1}, {"length": 4, "texts": 1}]


def test_names_of_files_are_data(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "a[red]\x1b[31m.txt"
    path.write_text("a\n")
    shown = bertshape("profile", str(path)).stdout
    assert "\x1b" not in shown
    assert "[red]" in shown


def test_one_of_the_profiles_may_come_from_stdin(minilm: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "b.txt").write_text("two words\n")
    first, second = (profile_files([str(tmp_path / name)], model=str(minilm)) for name in ("a.txt", "b.txt"))
    (tmp_path / "a.json").write_text(profile_to_json(first))
    done = call("profile", "--merge", str(tmp_path / "a.json"), "-", "--json", stdin=profile_to_json(second))
    assert (done.stdout, done.stderr) == (profile_to_json(merge_profiles([first, second])), "")


def test_markdown_names_the_model_and_sorts_the_limits(
    bertshape: Callable[..., Run], minilm: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    done = bertshape(
        "profile", str(tmp_path / "a.txt"), "--model", str(minilm), "--format", "markdown", "--max-length", "3"
    )
    assert minilm.name in done.stdout
    table = done.stdout.split("### What")[1].split("###")[0]
    limits = [int(cell) for line in table.splitlines() if line.startswith("| ") and (cell := line.split()[1]).isdigit()]
    assert limits == sorted(limits)
    assert limits[0] == 3
    assert len(limits) > 2
