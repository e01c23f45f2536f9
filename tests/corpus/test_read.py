"""`profile`: what the files of a corpus may hold, and what is said where they do not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet
import pytest

from bertshape.corpus.profile import merge_profiles
from bertshape.corpus.profile_document import profile_from_json, profile_to_json
from bertshape.errors import BertshapeError, UsageError
from bertshape.pipelines.profile import profile_files, profile_texts
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"fine\n\xff\n", ["line 2", "UTF-8"]),
        ("a.csv", b"id,words\n1,a\n", ["no column 'text'"]),
        ("a.csv", b"id,text\n1,\xff\n", ["line 2", "UTF-8"]),
        ("a.csv", b"id,text\n1\n", ["line 2", "1 fields"]),
        ("a.csv", b'id,text\n1,"a"b\n', ["line 2", "no CSV"]),
        ("a.csv", b"", ["no column"]),
        ("a.jsonl", b'{"text": 1}\n', ["line 1", '"text"']),
        ("a.parquet", b"PAR1 no", ["cannot read"]),
    ],
)
def test_bad_files_are_named(name: str, content: bytes, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BertshapeError) as caught:
        profile_files([str(path)])
    assert all(word in caught.value.message for word in (*words, name)), caught.value.message


def test_bad_columns_of_parquet_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", None], "number": [1, 2]}), path)
    for column, words in (
        ("text", "row 2 holds nothing"),
        ("number", "row 1 holds a value of type int"),
        ("x", "no column"),
    ):
        with pytest.raises(UsageError, match=words):
            profile_files([str(path)], column=column)


def test_lone_surrogates_are_named(minilm: Path) -> None:
    with pytest.raises(UsageError, match="texts, text 2 has a"):
        profile_texts(["a", "b\udcff"], model=str(minilm))


def test_pages_of_parquet_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    """Parquet does not hold strings to UTF-8; the row is told, behind some batches of good ones."""
    path = tmp_path / "a.parquet"
    good, bad = b"ab" * 700, b"a\xff"
    offsets = b"".join(number.to_bytes(4, "little") for number in [*range(0, 1401, 2), 1402])
    column = pyarrow.Array.from_buffers(
        pyarrow.string(), 701, [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(good + bad)]
    )
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), path)
    with pytest.raises(UsageError, match=r"a\.parquet, row 701 is not UTF-8"):
        profile_files([str(path)])


@pytest.mark.parametrize(
    "kind", [pyarrow.large_string(), pyarrow.dictionary(pyarrow.int32(), pyarrow.string())], ids=str
)
def test_strings_of_parquet_come_in_several_kinds(kind: pyarrow.DataType, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": pyarrow.array(["a b", "c"]).cast(kind)}), path)
    assert profile_files([str(path)]).counts.lengths == {4: 1, 3: 1}


def test_without_pyarrow_the_command_to_install_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        profile_files([str(tmp_path / "a.parquet")])
    assert caught.value.code == "pyarrow-missing"
    assert "pip install pyarrow" in str(caught.value.hint)


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
    assert ('"ok": false' in done.stdout) if form == ["--json"] else (done.stdout == "")


def test_stdin_is_a_file(minilm: Path) -> None:
    command = [sys.executable, "-m", "bertshape", "profile", "-", "--model", str(minilm), "--json"]
    done = subprocess.run(command, input=b"one\ntwo words\n", capture_output=True, check=False, timeout=SECONDS)
    document = json.loads(done.stdout)
    assert document["profile"]["files"] == [{"name": "stdin", "texts": 2}]
    assert document["profile"]["counts"]["lengths"] == {"3": 1, "4": 1}


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
    done = subprocess.run(
        [sys.executable, "-m", "bertshape", "profile", "--merge", str(tmp_path / "a.json"), "-", "--json"],
        input=profile_to_json(second),
        capture_output=True,
        text=True,
        check=False,
    )
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
